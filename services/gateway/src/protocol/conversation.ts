import { codeToHttpStatus, endStreamFlag, endStreamToJson, errorToJson } from '@connectrpc/connect/protocol-connect';
import { trailerFlag, trailerSerialize } from '@connectrpc/connect/protocol-grpc-web';
import { Status } from '#google/rpc/status';
import type { CallFailure } from '#libs/grpc';
import type { Answer } from '../http/answer.ts';
import { compressedFlag, envelope } from './envelope.ts';
import { acceptsGzip, compress } from './compression.ts';
import type { Dialect } from './dialect.ts';
import { toConnectError } from './error-json.ts';

/** The answer to one call, in the dialect of its client. */
export interface Conversation {
  /** Resolves when the next message may follow. */
  send(message: Uint8Array): Promise<void>;
  /** Ends the answer, with an error if there is one. `httpStatus` replaces that of the code, where there is one. */
  end(failure?: CallFailure, httpStatus?: number): Promise<void>;
}

interface ConversationOptions {
  dialect: Dialect;
  answer: Answer;
  /** The client's list of the compressions that it reads. */
  accepted: string;
}

const bytesOf = (json: unknown): Buffer => Buffer.from(JSON.stringify(json));

/** Whole seconds, as HTTP counts. */
function retryAfter({ retryAfterMs }: CallFailure): Record<string, string> {
  return retryAfterMs === undefined ? {} : { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) };
}

/** One message or one error, in the body as it is. */
function converseInUnary({ dialect, answer, accepted }: ConversationOptions): Conversation {
  let message: Uint8Array = new Uint8Array();
  const sendMessage = async (): Promise<void> => {
    const { data, isPacked } = await compress(message, accepted);
    const encoding: Record<string, string> = isPacked ? { 'content-encoding': 'gzip' } : {};
    answer.begin(200, { 'content-type': dialect.contentType, vary: 'accept-encoding', ...encoding });
    return answer.end(data);
  };
  const sendError = (failure: CallFailure, httpStatus: number): Promise<void> => {
    const scheme: Record<string, string> = httpStatus === 401 ? { 'www-authenticate': 'Bearer' } : {};
    answer.begin(httpStatus, { 'content-type': 'application/json', ...scheme, ...retryAfter(failure) });
    return answer.end(bytesOf(errorToJson(toConnectError(failure.status), undefined)));
  };
  return {
    send: async (bytes) => void (message = bytes),
    end: (failure, httpStatus) =>
      failure === undefined ? sendMessage() : sendError(failure, httpStatus ?? codeToHttpStatus(failure.status.code)),
  };
}

/** What ends a stream of Connect: an error, or nothing. */
const endOfStream = (failure: CallFailure | undefined): Buffer =>
  envelope(
    endStreamFlag,
    bytesOf(endStreamToJson(new Headers(), failure && toConnectError(failure.status), undefined)),
  );

/** The trailers of gRPC, which gRPC-Web sends in the body. */
function trailersOf(failure: CallFailure | undefined): Buffer {
  const trailers = new Headers({ 'grpc-status': String(failure?.status.code ?? 0) });
  if (failure !== undefined) {
    trailers.set('grpc-message', encodeURIComponent(failure.status.message));
    trailers.set('grpc-status-details-bin', Buffer.from(Status.encode(failure.status).finish()).toString('base64'));
  }
  return envelope(trailerFlag, trailerSerialize(trailers));
}

/** Messages with a header each, and an end that says how the call ended. */
function converseInEnvelopes({ dialect, answer, accepted }: ConversationOptions): Conversation {
  const begin = (): void => {
    const encoding = acceptsGzip(accepted) ? { [dialect.encodingKey]: 'gzip' } : {};
    answer.begin(200, { 'content-type': dialect.contentType, ...encoding });
  };
  return {
    send: async (message) => {
      const { data, isPacked } = await compress(message, accepted);
      begin();
      return answer.write(envelope(isPacked ? compressedFlag : 0, data));
    },
    end: (failure) => {
      begin();
      return answer.end(dialect.name === 'grpc-web' ? trailersOf(failure) : endOfStream(failure));
    },
  };
}

export function openConversation(options: ConversationOptions): Conversation {
  return options.dialect.name === 'connect' ? converseInUnary(options) : converseInEnvelopes(options);
}
