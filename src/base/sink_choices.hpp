// What one may choose of a sink, where the choice is the same in the configuration and in the sink, which do not know
// each other.
#pragma once

namespace trackd::base {

/// How the file sink packs the files that it has closed.
enum class file_compression { none, zstd };

/// How the http sink writes its events, and packs them.
enum class http_format { ndjson, json, cloudevents };
enum class http_compression { none, gzip, zstd };

/// Which attribute of the event is the key of its message in Kafka, by which it is put into a partition.
enum class kafka_key { source, subject, id, none };

/// The content mode of CloudEvents: attributes as headers with the data as value, or all of it as CloudEvents JSON.
enum class kafka_format { binary, structured };

} // namespace trackd::base
