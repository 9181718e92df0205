# docker build -t trackd . && docker run -p 8080:8080 -v trackd:/var/lib/trackd trackd

FROM debian:trixie-slim AS build
WORKDIR /trackd
COPY scripts/install-deps scripts/
RUN scripts/install-deps run
COPY CMakeLists.txt CMakePresets.json ./
COPY scripts/lib scripts/lib
COPY cmake cmake
COPY include include
COPY src src
RUN bash -c '. scripts/lib/build.sh && build release OFF trackd' \
    && strip --strip-debug -o /usr/local/bin/trackd build/release/src/trackd

FROM debian:trixie-slim
RUN apt-get -q -o Acquire::Retries=3 update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        ca-certificates libboost-json1.83.0 libcurl4t64 libfmt10 libpq5 librdkafka1 libsimdjson25 libspdlog1.15 \
        libsqlite3-0 libssl3t64 libtomlplusplus3t64 \
        libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/trackd
COPY --from=build /usr/local/bin/trackd /usr/local/bin/
COPY config/container.toml /etc/trackd/trackd.toml
# A library that the list above forgot stops the build here.
RUN trackd --version

USER 10001:10001
VOLUME /var/lib/trackd
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["trackd", "--config", "/etc/trackd/trackd.toml", "healthcheck"]
ENTRYPOINT ["trackd", "--config", "/etc/trackd/trackd.toml"]
