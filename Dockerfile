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
    && DESTDIR=/image cmake --install build/release --prefix /usr/local --component daemon \
    && strip --strip-debug /image/usr/local/bin/trackd /image/usr/local/lib/trackd/*.so

FROM debian:trixie-slim
RUN apt-get -q -o Acquire::Retries=3 update \
    && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends \
        ca-certificates libcurl4t64 libfmt10 libpq5 libprometheus-cpp-core1.0 librdkafka1 libsimdjson25 libspdlog1.15 \
        libsqlite3-0 libssl3t64 libtomlplusplus3t64 \
        libzstd1 zlib1g \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && install -d -m 0700 -o 10001 -g 10001 /var/lib/trackd
COPY --from=build /image /
COPY config/container.toml /etc/trackd/trackd.toml
# A library that the list above forgot stops the build here; the modules' own ones are not looked for before a sink is.
RUN trackd --version && ! ldd /usr/local/bin/trackd /usr/local/lib/trackd/*.so | grep 'not found'

USER 10001:10001
VOLUME /var/lib/trackd
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["trackd", "--config", "/etc/trackd/trackd.toml", "healthcheck"]
ENTRYPOINT ["trackd", "--config", "/etc/trackd/trackd.toml"]
