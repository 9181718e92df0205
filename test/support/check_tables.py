"""Values of the options of each sink and listener: some with which no start succeeds, and one with which it does."""

# Values, as TOML, with which no start succeeds. HERE is the directory of the test.
WRONG = {
    "http": {
        "listen": ['"nowhere"', '"unix:HERE/missing/socket"', '"unix:HERE/file"', '["127.0.0.1:9", "0.0.0.0:9"]',
                   '["127.0.0.1:9", "[::]:9"]', '"192.0.2.1:0"', '"[2001:db8::1]:0"'],
        "threads": ["257"], "max_body_bytes": ["0"], "max_decoded_bytes": ["0"], "max_decoded_ratio": ["-1"],
        "max_bodies_bytes": ["2"], "max_batch_events": ["0"], "max_event_bytes": ["0"], "max_head_bytes": ["1"],
        "max_connections": ["-1"], "max_connections_per_address": ["-1"], "trusted_proxies": ['"10.0.0.0/33"'],
        "proxy_protocol": ["true"], "record_client": ['"all"'], "head_timeout": ['"0s"'], "body_timeout": ['"0s"'],
        "min_body_rate": ["-1"], "idle_timeout": ['"0s"'], "write_timeout": ['"0s"'], "cors_origins": ['"shop.example"'],
    },
    "http.tls": {
        "certificate": ['"HERE/certificate.pem"', '"HERE/missing.pem"\nkey = "HERE/key.pem"',
                        '"HERE/file"\nkey = "HERE/key.pem"'],
        "key": ['"HERE/key.pem"', '"HERE/missing.pem"\ncertificate = "HERE/certificate.pem"',
                '"HERE/other.pem"\ncertificate = "HERE/certificate.pem"'],
    },
    "admin": {
        "listen": ['"0.0.0.0:0"', '"unix:HERE/missing/socket"', '"unix:HERE/directory"', '"192.0.2.1:0"'],
        "token": ['"short"'],
    },
    "admin.tls": {
        "certificate": ['"HERE/certificate.pem"', '"HERE/missing.pem"\nkey = "HERE/key.pem"'],
        "key": ['"HERE/key.pem"', '"HERE/other.pem"\ncertificate = "HERE/certificate.pem"'],
    },
    "log": {
        "level": ['"loud"'], "format": ['"xml"'],
        "file": ['"HERE/missing/log"', '"HERE/directory"', '"HERE/file/log"', '"HERE/new/"', f'"HERE/{"x" * 256}"', '"/proc/log"'],
    },
}

# The same for the options of each sink.
WRONG_IN_EVERY_SINK = {
    "name": ['"a b"'], "kind": ['"pigeon"'], "batch_events": ["0"], "batch_bytes": ["0"], "linger": ['"-1s"'],
    "start": ['"middle"'], "types": ['"!"'], "sources": ['"!"'], "required": ['"perhaps"'], "on_full": ['"skip"'],
}
WRONG_IN_SINKS = {
    "sqlite": {
        "path": ['"HERE/file/events.db"', '"HERE/directory"', '"HERE/file"', '"HERE/new/"', '"HERE/dangling/events.db"',
                 '"HERE/foreign.db"', '"HERE/newer.db"', '"/dev/null"', '"/proc/events.db"'],
        "keep": ['"-1s"'], "indexes": ['"perhaps"'],
    },
    "file": {
        "path": ['"HERE/file/events.jsonl"', '"HERE/directory"', '"HERE/file"', '"HERE/new/"', '"/dev/full"', '"HERE/pipe"',
                 f'"HERE/new/{"x" * 256}"', '"HERE/dangling/events.jsonl"', '"{data_dir}/journal/events.jsonl"',
                 '"{data_dir}/dead-letters/events.jsonl"', '"{data_dir}"', '"/proc/new/events.jsonl"'],
        "rotate_bytes": ["-1"], "rotate_every": ['"-1s"'], "keep_files": ["-1"], "sync": ['"perhaps"'],
        "compress": ['"rar"'],
    },
    "log": {"level": ['"loud"'], "simulate_latency": ['"-1s"']},
    "null": {},
    "postgres": {
        "connection": ['"host=x colour=red"', '"host"', '"postgresql://["'], "table": ['""', '"a.b.c"', '"a."', f'"{"x" * 64}"'],
        "create_table": ['"perhaps"'], "connect_timeout": ['"0s"'], "statement_timeout": ['"0s"'],
    },
    "kafka": {
        "brokers": ["[]"], "topic": ['"a/b"', '"."', '"{colour}"'], "key": ['"colour"'], "format": ['"avro"'],
        "compression": ['"rar"'], "timeout": ['"0s"'],
        "properties": ['{"no.such.property" = "1"}', '{"acks" = "1"}', '{"linger.ms" = "soon"}',
                       '{"security.protocol" = "ssl", "ssl.ca.location" = "HERE/missing.pem"}',
                       '{"security.protocol" = "ssl", "ssl.certificate.location" = "HERE/file"}',
                       '{"security.protocol" = "sasl_ssl", "sasl.mechanisms" = "PLAIN"}',
                       '{"security.protocol" = "sasl_plaintext", "sasl.mechanisms" = "GSSAPI"}',
                       '{"max.in.flight.requests.per.connection" = "7"}'],
    },
    "http": {
        "url": ['""', '"collector.example:9000/events"', '"ftp://a.example/"', '"http://user@a.example/"', '"http://"'],
        "format": ['"xml"'], "headers": ['["Token"]', '["Content-Length: 1"]', '["A B: c"]'], "compression": ['"rar"'],
        "timeout": ['"0s"'], "connect_timeout": ['"0s"'], "ca_file": ['"HERE/missing.pem"'],
        "client_certificate": ['"HERE/missing.pem"'], "client_key": ['"HERE/key.pem"'], "verify": ['"perhaps"'],
        "delivered_statuses": ['"999"', '"301"', '["200", "429"]\nretried_statuses = "429"'],
        "retried_statuses": ['"soon"'], "refused_statuses": ['"302"'],
    },
}

# What a sink of each kind needs, and a value for each of its options with which a start succeeds.
NEEDED = {"http": 'url = "http://127.0.0.1:1/events"\n'}
RIGHT_IN_EVERY_SINK = """
batch_events = 10
batch_bytes = "1MiB"
linger = "5ms"
start = "newest"
types = ["order.*", "!order.debug"]
sources = "shop"
required = false
on_full = "skip"
"""
RIGHT_IN_SINKS = {
    "sqlite": 'path = "HERE/new/deep/events.db"\nkeep = "30d"\nindexes = false\n',
    "file": 'path = "HERE/new/deep/events.jsonl"\nrotate_bytes = "1MiB"\nrotate_every = "1h"\nkeep_files = 3\n'
            'sync = false\ncompress = "zstd"\n',
    "log": 'level = "debug"\nsimulate_latency = "1ms"\n',
    "null": "",
    "postgres": 'connection = "host=127.0.0.1 port=1 dbname=none"\ntable = "some.events"\ncreate_table = true\n'
                'connect_timeout = "1s"\nstatement_timeout = "1s"\n',
    "kafka": 'brokers = ["127.0.0.1:1"]\ntopic = "{type}"\nkey = "none"\nformat = "structured"\ncompression = "gzip"\n'
             'timeout = "1s"\nproperties = {"linger.ms" = 5, "ssl.ca.location" = "HERE/certificate.pem"}\n',
    "http": 'url = "https://127.0.0.1:1/events?key=1"\nformat = "json"\nheaders = ["Authorization: Bearer x"]\n'
            'compression = "zstd"\ntimeout = "1s"\nconnect_timeout = "1s"\nca_file = "HERE/certificate.pem"\n'
            'client_certificate = "HERE/certificate.pem"\nclient_key = "HERE/key.pem"\nverify = false\n'
            'delivered_statuses = "2xx"\nretried_statuses = "429"\nrefused_statuses = "4xx"\n',
}
# The same for the listeners and the log, together in one start.
RIGHT = """
[http]
listen = ["unix:HERE/ingest", "127.0.0.1:0"]
threads = 1
max_body_bytes = "1MiB"
max_decoded_bytes = "1MiB"
max_decoded_ratio = 0
max_bodies_bytes = "2MiB"
max_batch_events = 1
max_event_bytes = 1
max_head_bytes = "1KiB"
max_connections = 100
max_connections_per_address = 10
trusted_proxies = ["10.0.0.0/8", "unix"]
proxy_protocol = true
record_client = "full"
head_timeout = "1s"
body_timeout = "1s"
min_body_rate = 0
idle_timeout = "1s"
write_timeout = "1s"
cors_origins = "https://shop.example"
tls.certificate = "HERE/certificate.pem"
tls.key = "HERE/key.pem"
[admin]
listen = ["127.0.0.1:0", "0.0.0.0:0", "unix:HERE/admin"]
token = "0123456789abcdef"
tls.certificate = "HERE/certificate.pem"
tls.key = "HERE/key.pem"
[log]
level = "debug"
format = "text"
file = "HERE/log"
"""
