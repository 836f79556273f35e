import type { DescEnum } from '@bufbuild/protobuf';
import { fileRegistry } from '../../src/descriptors.ts';
import type { Block } from './blocks.ts';
import { commentOf } from './comments.ts';

export interface Reason {
  name: string;
  code: string;
  meaning: string;
}

const reasonEnum = fileRegistry.getEnum('taskflow.policy.v1.ErrorReason') as DescEnum;

/** Every reason, as declared: "CODE: meaning." */
export const allReasons: readonly Reason[] = reasonEnum.values.flatMap((value) => {
  const [, code, meaning] = /^([A-Z_]+): (.*)$/.exec(commentOf(value)) ?? [];
  return code === undefined || meaning === undefined
    ? []
    : [{ name: value.name.replace('ERROR_REASON_', ''), code, meaning }];
});

export const reasonByName: ReadonlyMap<string, Reason> = new Map(allReasons.map((reason) => [reason.name, reason]));

const repeat =
  "Send it again after RetryInfo's time, waiting longer each time; if the method is not safe to repeat, with the same `request_id`.";

/** What a client does about a code, unless its reason says more below. */
const byCode: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: 'Correct the request; BadRequest names the fields. Do not repeat it as it is.',
  UNAUTHENTICATED: 'Get a new access token with RefreshSession, once; if that fails, sign in again.',
  PERMISSION_DENIED: 'Do not repeat it: the caller may not do this, or has not proved that they may.',
  NOT_FOUND: 'Take it as gone, or as never visible to this caller.',
  ALREADY_EXISTS: 'Choose another value, or read what is there.',
  FAILED_PRECONDITION: 'Read the resource; change what stands in the way first.',
  ABORTED: repeat,
  OUT_OF_RANGE: 'Begin again from the start.',
  RESOURCE_EXHAUSTED: 'Wait as long as RetryInfo says, then send it again.',
  UNAVAILABLE: repeat,
  DEADLINE_EXCEEDED:
    'It may have happened. Repeat it if the method is safe to repeat or carries a `request_id`; else look first.',
  CANCELLED: 'Nothing: you cancelled it.',
  INTERNAL: 'Report it with the request id. A repeat may help.',
  UNIMPLEMENTED: 'Ask for something that the server has; GetServerInfo tells its version.',
};

const byReason: Readonly<Record<string, string>> = {
  ETAG_MISMATCH: 'Read the resource again, apply the change to what it is now, send that with its etag.',
  REQUEST_ID_REUSED: 'Use a new `request_id` for a new request.',
  CREDENTIALS_INVALID: 'Ask the person for the password again.',
  REFRESH_TOKEN_INVALID: 'Sign in again.',
  TOKEN_REUSED: 'Sign in again; somebody else may hold the token.',
  PAGE_TOKEN_INVALID: 'Begin with the first page.',
  RESUME_TOKEN_INVALID: 'Begin with SyncTasks without a token.',
  RESUME_TOKEN_COMPACTED: 'Begin with SyncTasks without a token.',
  LOG_RESTORED: 'Begin with SyncTasks or ListNotifications without a token, and watch from there.',
  REQUEST_TOO_LARGE: 'Send, or ask for, less at once.',
  HEADERS_TOO_LARGE: 'Send less metadata.',
  CREDENTIALS_MISSING: 'Send the access token as `authorization: Bearer …`.',
};

export function adviceFor({ name, code }: Reason): string {
  return byReason[name] ?? byCode[code] ?? '';
}

export function reasonBlocks(): Block[] {
  const rows = allReasons.map((reason) => [
    `\`${reason.name}\``,
    `\`${reason.code}\``,
    reason.meaning,
    adviceFor(reason),
  ]);
  return [
    { kind: 'heading', level: 1, text: 'Reasons', id: 'reasons' },
    {
      kind: 'text',
      text: `${commentOf(reasonEnum)} The id of the request stands in \`google.rpc.RequestInfo\`. Programs decide by the code and the reason, never by the message.`,
    },
    { kind: 'table', head: ['reason', 'code', 'meaning', 'what the client does'], rows },
  ];
}
