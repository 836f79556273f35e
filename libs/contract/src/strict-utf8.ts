import { configureTextEncoding, getTextEncoding } from '@bufbuild/protobuf/wire';

// By default invalid UTF-8 becomes U+FFFD and is reported as success; protobuf demands that it is refused.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
// Everything else is kept: without encodeUtf8Into, longer strings would be encoded elsewhere and copied.
configureTextEncoding({ ...getTextEncoding(), decodeUtf8: (bytes) => decoder.decode(bytes) });
