import { gzipSync } from 'node:zlib';
import { tasks, users } from './start-gateway.ts';

/** A request that is to be refused. */
export interface Hostile {
  path?: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array<ArrayBuffer>;
}

export const bytes = (data: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(data);
export const json = { 'content-type': 'application/json' };
const stream = { 'content-type': 'application/connect+json' };
const proto = { 'content-type': 'application/proto' };
const deep = `{"task":${'['.repeat(200_000)}${']'.repeat(200_000)}}`;
const unended = `{"task":"${'\\"'.repeat(1_500_000)}`;
const bomb = (): Uint8Array<ArrayBuffer> => bytes(gzipSync(Buffer.alloc(64 * 1024 * 1024), { level: 9 }));
export const labelled = (label: string, count: number): string =>
  `{"task":{"labels":[${Array(count).fill(label).join()}]}}`;
const create = (text: string): Hostile => ({ body: text });
export const watch = (body: string | Uint8Array<ArrayBuffer>, headers = {}): Hostile => ({
  path: `${tasks}/WatchTasks`,
  headers: { ...stream, ...headers },
  body,
});
const query = (text: string): Hostile => ({ path: `${users}/GetMe?${text}`, method: 'GET', headers: {} });

/** By default sent to CreateTask by POST as JSON: what it is, the status of HTTP, code and reason, and the fields. */
export const cases: readonly (readonly [string, Hostile, number, string, ...string[]])[] = [
  ['no body', { body: '' }, 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['no JSON', create('title=a'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['half a JSON', create('{"task":{"title":"a"'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['a string of 3 MB without an end', create(unended), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['more than one JSON', create('{}{}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an array', create('[]'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['null', create('null'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['a number', create('1'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['NaN', create('{"task":NaN}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['comments', create('{/* */}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'invalid UTF-8',
    { body: bytes(Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22])) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['JSON that is nested too deeply', create(deep), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an unknown field', create('{"tsak":{}}'), 400, 'invalid_argument/INVALID_FIELD', 'tsak'],
  ['an unknown field inside', create('{"task":{"titel":"a"}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.titel'],
  ['__proto__', create('{"__proto__":{"task":{}}}'), 400, 'invalid_argument/INVALID_FIELD', '__proto__'],
  ['a field twice', create('{"requestId":"a","requestId":"b"}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  [
    'a field twice inside',
    create('{"task":{"title":"a","title":"b"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.title',
  ],
  [
    'both names of a field',
    create('{"requestId":"a","request_id":"b"}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'request_id',
  ],
  ['a number for text', create('{"task":{"title":1}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.title'],
  ['text for an object', create('{"task":"a"}'), 400, 'invalid_argument/INVALID_FIELD', 'task'],
  ['an object for text', create('{"requestId":{}}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  ['text for a boolean', create('{"validateOnly":"true"}'), 400, 'invalid_argument/INVALID_FIELD', 'validate_only'],
  ['half a surrogate pair', create('{"requestId":"\\ud800"}'), 400, 'invalid_argument/INVALID_FIELD', 'request_id'],
  [
    'an unknown enum',
    create('{"task":{"priority":"URGENT!"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.priority',
  ],
  [
    'an enum out of range',
    create('{"task":{"priority":4294967296}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.priority',
  ],
  ['no time', create('{"task":{"dueTime":"tomorrow"}}'), 400, 'invalid_argument/INVALID_FIELD', 'task.due_time'],
  [
    'a time that no calendar has',
    create('{"task":{"dueTime":"2030-13-41T00:00:00Z"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.due_time',
  ],
  [
    'a day that no calendar has',
    create('{"task":{"dueTime":"2026-02-29T00:00:00Z"}}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.due_time',
  ],
  [
    'a number in a form that JSON does not have',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":"0x5"}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'a fraction that is rounded to a whole number',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":1e-400}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'everything at once',
    create('{"task":{"title":1,"dueTime":2,"x":3},"requestId":4}'),
    400,
    'invalid_argument/INVALID_FIELD',
    'task.title',
    'task.due_time',
    'task.x',
    'request_id',
  ],
  [
    'a number out of range',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":2147483648}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'a fraction for a whole number',
    { path: `${tasks}/ListTasks`, body: '{"pageSize":1.5}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'page_size',
  ],
  [
    'text in a list of text',
    { path: `${tasks}/BatchGetTasks`, body: '{"taskIds":["a",1]}' },
    400,
    'invalid_argument/INVALID_FIELD',
    'task_ids[1]',
  ],
  [
    'a body of 5 MiB',
    create(`{"requestId":"${'a'.repeat(5 * 1024 * 1024)}"}`),
    429,
    'resource_exhausted/REQUEST_TOO_LARGE',
  ],
  [
    '64 MiB in 64 KiB',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: bomb() },
    429,
    'resource_exhausted/REQUEST_TOO_LARGE',
  ],
  [
    'damaged gzip',
    { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'an unknown compression',
    { headers: { ...json, 'content-encoding': 'br' }, body: '{}' },
    501,
    'unimplemented/UNIMPLEMENTED',
  ],
  [
    'a form',
    { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'a=1' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['text', { headers: { 'content-type': 'text/plain' }, body: '{}' }, 415, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'plain gRPC',
    { headers: { 'content-type': 'application/grpc' }, body: '{}' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'JSON for a method that answers with a stream',
    { path: `${tasks}/WatchTasks`, body: '{}' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'another version of Connect',
    { headers: { ...json, 'connect-protocol-version': '2' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a deadline that is no number',
    { headers: { ...json, 'connect-timeout-ms': '1s' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a negative deadline',
    { headers: { ...json, 'connect-timeout-ms': '-1' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'a deadline of eleven digits',
    { headers: { ...json, 'connect-timeout-ms': '12345678901' }, body: '{}' },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'protobuf that is none',
    { headers: proto, body: bytes(Buffer.from('ffffff', 'hex')) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'protobuf with invalid UTF-8',
    { headers: proto, body: bytes(Buffer.from('1202c328', 'hex')) },
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['an unknown method', { path: `${tasks}/DropTasks`, body: '{}' }, 501, 'unimplemented/UNIMPLEMENTED'],
  [
    'an internal method',
    { path: '/taskflow.tasks.v1.InternalTasksService/PullEvents', body: '{}' },
    501,
    'unimplemented/UNIMPLEMENTED',
  ],
  ['health', { path: '/grpc.health.v1.Health/Check', body: '{}' }, 501, 'unimplemented/UNIMPLEMENTED'],
  ['a path upwards', { path: '/..%2f..%2fetc/passwd', body: '{}' }, 501, 'unimplemented/UNIMPLEMENTED'],
  [
    'GET of a change',
    { path: `${tasks}/CreateTask?encoding=json&message={}`, method: 'GET', headers: {} },
    405,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['PUT', { method: 'PUT', headers: json, body: '{}' }, 405, 'invalid_argument/MALFORMED_REQUEST'],
  ['DELETE', { method: 'DELETE', headers: json }, 405, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'OPTIONS without CORS',
    { method: 'OPTIONS', headers: { origin: 'https://a.example.com' } },
    405,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['GET with two messages', query('encoding=json&message={}&message={}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  [
    'GET with two encodings',
    query('encoding=json&encoding=proto&message={}'),
    400,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  [
    'another charset',
    { headers: { 'content-type': 'application/json; charset=latin1' }, body: '{}' },
    415,
    'invalid_argument/MALFORMED_REQUEST',
  ],
  ['GET without a message', query('encoding=json'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET without an encoding', query('message={}'), 415, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET of what is no base64', query('encoding=json&base64=1&message=%21'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['GET of another version', query('connect=v9&encoding=json&message={}'), 400, 'invalid_argument/MALFORMED_REQUEST'],
  ['an empty token', { headers: { ...json, authorization: '' }, body: '{}' }, 401, 'unauthenticated/TOKEN_INVALID'],
  [
    'a token of another kind',
    { headers: { ...json, authorization: 'Basic YTpi' }, body: '{}' },
    401,
    'unauthenticated/TOKEN_INVALID',
  ],
];
