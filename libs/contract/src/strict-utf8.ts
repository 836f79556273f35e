import { configureTextEncoding, getTextEncoding } from '@bufbuild/protobuf/wire';

// By default invalid UTF-8 becomes U+FFFD and is reported as success; protobuf demands that it is refused.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const { encodeUtf8, checkUtf8 } = getTextEncoding();
configureTextEncoding({ encodeUtf8, checkUtf8, decodeUtf8: (bytes) => decoder.decode(bytes) });
