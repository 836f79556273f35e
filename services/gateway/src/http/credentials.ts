import { AppError, kindOfCode } from '#libs/errors';
import { credentialsMissing, type ClientCall, type Forwarder } from '#libs/grpc';
import { encodeFromJson } from '#libs/json';
import type { Route } from '../routes.ts';
import { HeadFault, type CallHead } from './call-head.ts';

/** Who calls, and by which ids the logs know it. */
export type Client = Pick<ClientCall, 'traceParent' | 'client'> & { requestId: string };

interface Services {
  routes: ReadonlyMap<string, Route>;
  forwarder: Forwarder;
}

/** JSON that may be read for anybody: it takes a few milliseconds, whatever is in it. */
const freeBytes = 32 * 1024;

const whoCalls = '/taskflow.auth.v1.AuthService/GetCaller';

/** Refuses whom the service would refuse whatever the request is, before the request is read. Throws HeadFault. */
export function checkCredentials({ route: { policy }, authorization }: CallHead): void {
  if (policy.access !== 'public' && authorization === undefined) throw new HeadFault(credentialsMissing());
}

export const tokenInvalid = (cause?: unknown): AppError =>
  new AppError('unauthenticated', 'TOKEN_INVALID', 'the token is not valid', { cause });

/**
 * Asks auth whose the token is before so much JSON is read. Only what auth says of the token counts here: the call
 * itself is limited by its own service. Throws TOKEN_INVALID.
 */
export async function assertTokenFor(sizeBytes: number, client: Client, services: Services): Promise<void> {
  const route = services.routes.get(whoCalls);
  if (sizeBytes <= freeBytes || route === undefined) return;
  const { end } = services.forwarder.forward({
    ...client,
    route,
    timeoutMs: undefined,
    read: async () => Buffer.alloc(0),
    send: async () => undefined,
  });
  const failure = await end;
  if (failure !== undefined && kindOfCode(failure.status.code) === 'unauthenticated') throw tokenInvalid();
}

/** The request encoded by protobuf, or what is wrong with its JSON. Throws AppError where it is not worth reading. */
export async function readJson(
  json: Buffer,
  { method, policy }: Route,
  client: Client,
  services: Services,
): Promise<Buffer | AppError> {
  if (policy.access !== 'public') await assertTokenFor(json.length, client, services);
  else if (json.length > freeBytes)
    return new AppError('resource_exhausted', 'REQUEST_TOO_LARGE', 'no request for this method is so large');
  try {
    return encodeFromJson(method.input, json);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
