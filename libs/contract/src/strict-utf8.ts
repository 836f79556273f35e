import { configureTextEncoding, getTextEncoding } from '@bufbuild/protobuf/wire';

// By default invalid UTF-8 becomes U+FFFD and is reported as success; protobuf demands that it is refused.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// All the rest as it was: without encodeUtf8Into, each longer string is encoded elsewhere and copied.
configureTextEncoding({ ...getTextEncoding(), decodeUtf8: (bytes) => decoder.decode(bytes) });
