export { findAlteredNumbers } from './json-number.ts';
export { decodeToJson, encodeFromJson } from './json-messages.ts';
export { scanJson, type JsonScan } from './scan-json.ts';
