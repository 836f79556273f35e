import { fromBinary, toJsonString } from '@bufbuild/protobuf';
import { descriptorOf, fileRegistry, ownerOf, policyOf } from '#libs/contract';
import { newRequestId } from '#libs/runtime';
import { encode, serviceOf } from './wire.ts';

/** What the gateway made of a call. */
export interface GatewayAnswer {
  /** "OK", or code and reason: "NOT_FOUND/TASK_NOT_FOUND". */
  outcome: string;
  /** The answer as JSON; of a stream its first message. */
  json: unknown;
  requestId: string;
}

interface ErrorJson {
  code: string;
  details: { type: string; debug?: { reason?: string; requestId?: string } }[];
}

export interface GatewayCredentials {
  token?: string | undefined;
  serviceToken?: string | undefined;
}

const endFlag = 2;

/** "INVALID_ARGUMENT/INVALID_FIELD" of an error in Connect's form, which has to name the call as well. */
function outcomeOf({ code, details }: ErrorJson, requestId: string): string {
  const debugOf = (name: string) => details.find(({ type }) => type === `google.rpc.${name}`)?.debug;
  if (debugOf('RequestInfo')?.requestId !== requestId) return `an error that does not name the call ${requestId}`;
  return `${code === 'canceled' ? 'CANCELLED' : code.toUpperCase()}/${debugOf('ErrorInfo')?.reason}`;
}

/** The path by which the gateway knows a method. Those that every server offers are asked of tasks. */
export function gatewayPathOf(path: string): string {
  return ownerOf(path.slice(1)) === undefined ? `/${serviceOf(path)}${path}` : path;
}

function toJsonRequest(path: string, request: object): string {
  const { input } = descriptorOf(policyOf(path));
  return toJsonString(input, fromBinary(input, encode(path, request)), { registry: fileRegistry });
}

function headersFor(contentType: string, requestId: string, credentials: GatewayCredentials): Record<string, string> {
  const { token, serviceToken } = credentials;
  return {
    'content-type': contentType,
    'x-request-id': requestId,
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
    ...(serviceToken !== undefined && { 'x-taskflow-service': serviceToken }),
  };
}

/** A message with the header that streams of Connect have. */
export function enveloped(text: string | Uint8Array): Buffer {
  const data = Buffer.from(text as string);
  const header = Buffer.alloc(5);
  header.writeUInt32BE(data.length, 1);
  return Buffer.concat([header, data]);
}

/** The first message of a stream, or its end. */
async function readFirst(body: AsyncIterable<Uint8Array>): Promise<{ isEnd: boolean; json: unknown }> {
  let seen = Buffer.alloc(0);
  for await (const part of body) {
    seen = Buffer.concat([seen, part]);
    if (seen.length < 5 || seen.length < 5 + seen.readUInt32BE(1)) continue;
    return { isEnd: seen[0] === endFlag, json: JSON.parse(seen.toString('utf8', 5, 5 + seen.readUInt32BE(1))) };
  }
  throw new Error('the stream ended without saying how');
}

async function callStream(url: string, text: string, credentials: GatewayCredentials): Promise<GatewayAnswer> {
  const requestId = newRequestId();
  const headers = headersFor('application/connect+json', requestId, credentials);
  const gone = new AbortController();
  const response = await fetch(url, { method: 'POST', headers, body: enveloped(text), signal: gone.signal });
  if (response.status !== 200)
    return { outcome: outcomeOf((await response.json()) as ErrorJson, requestId), json: undefined, requestId };
  const { isEnd, json } = await readFirst(response.body as unknown as AsyncIterable<Uint8Array>);
  gone.abort();
  const { error } = json as { error?: ErrorJson };
  if (!isEnd || error === undefined) return { outcome: 'OK', json, requestId };
  return { outcome: outcomeOf(error, requestId), json: undefined, requestId };
}

async function callUnary(url: string, body: string, credentials: GatewayCredentials): Promise<GatewayAnswer> {
  const requestId = newRequestId();
  const headers = headersFor('application/json', requestId, credentials);
  const response = await fetch(url, { method: 'POST', headers, body });
  const json = (await response.json()) as unknown;
  return { outcome: response.ok ? 'OK' : outcomeOf(json as ErrorJson, requestId), json, requestId };
}

/** Sends a text, which may be no JSON, as the request of any method to the gateway, as somebody outside the cluster. */
export function sendToGateway(
  address: string,
  path: string,
  text: string,
  credentials: GatewayCredentials = {},
): Promise<GatewayAnswer> {
  const call = descriptorOf(policyOf(path)).methodKind === 'unary' ? callUnary : callStream;
  return call(`http://${address}${gatewayPathOf(path)}`, text, credentials);
}

/** Calls any method through the gateway, in JSON, as somebody outside the cluster. */
export const callGateway = (
  address: string,
  path: string,
  request: object,
  credentials: GatewayCredentials = {},
): Promise<GatewayAnswer> => sendToGateway(address, path, toJsonRequest(path, request), credentials);
