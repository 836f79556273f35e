import { errorDomain, type AppError, type ErrorDetails } from '#libs/errors';
import type { Any } from '#google/protobuf/any';
import {
  BadRequest,
  ErrorInfo,
  PreconditionFailure,
  QuotaFailure,
  RequestInfo,
  ResourceInfo,
  RetryInfo,
} from '#google/rpc/error_details';
import { toDuration, toMilliseconds } from '#libs/runtime';

interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const typePrefix = 'type.googleapis.com/google.rpc.';

function pack<T>(name: string, codec: Codec<T>, message: T): Any {
  return { typeUrl: `${typePrefix}${name}`, value: Buffer.from(codec.encode(message).finish()) };
}

function unpack<T>(details: readonly Any[], name: string, codec: Codec<T>): T | undefined {
  const found = details.find((detail) => detail.typeUrl === `${typePrefix}${name}`);
  return found === undefined ? undefined : codec.decode(found.value);
}

const delayOf = ({ retryDelay }: RetryInfo): number => (retryDelay === undefined ? 0 : toMilliseconds(retryDelay));

// Details are sent in an HTTP/2 header. Clients accept about 8 KiB of headers, and base64 adds a third.
const maxViolationBytes = 4000;

/** Packs as many violations as fit. A last one states how many are missing, or that there are more. */
function packViolations({ violations = [], hasMoreViolations = false }: ErrorDetails): Any {
  let size = 0;
  const fitting = violations.filter(
    ({ field, description }) => (size += field.length + description.length * 3 + 8) <= maxViolationBytes,
  );
  const left = violations.length - fitting.length;
  const counted = left === 0 ? undefined : `and ${left} more`;
  const description = hasMoreViolations ? 'and more' : counted;
  const note = description === undefined ? [] : [{ field: '', description }];
  const fieldViolations = [...fitting, ...note].map((violation) => ({
    ...violation,
    reason: '',
    localizedMessage: undefined,
  }));
  return pack('BadRequest', BadRequest, { fieldViolations });
}

export function packRequestInfo(requestId: string): Any {
  return pack('RequestInfo', RequestInfo, { requestId, servingData: '' });
}

/** The google.rpc details of an error: always ErrorInfo and RequestInfo, the others when the error has them. */
export function packDetails(error: AppError, requestId: string): Any[] {
  const { violations, retryAfterMs, preconditions, resource, quota, metadata = {} } = error.details;
  const packed = [
    pack('ErrorInfo', ErrorInfo, { reason: error.reason, domain: errorDomain, metadata }),
    packRequestInfo(requestId),
  ];
  if (violations !== undefined) packed.push(packViolations(error.details));
  if (retryAfterMs !== undefined)
    packed.push(pack('RetryInfo', RetryInfo, { retryDelay: toDuration(Math.max(0, Math.ceil(retryAfterMs))) }));
  if (preconditions !== undefined)
    packed.push(pack('PreconditionFailure', PreconditionFailure, { violations: preconditions }));
  if (resource !== undefined) {
    packed.push(
      pack('ResourceInfo', ResourceInfo, {
        resourceType: resource.type,
        resourceName: resource.name,
        owner: '',
        description: '',
      }),
    );
  }
  if (quota !== undefined)
    packed.push(pack('QuotaFailure', QuotaFailure, QuotaFailure.fromPartial({ violations: quota })));
  return packed;
}

/** Reads packed details. `reason` is undefined when the status does not come from a TaskFlow service. */
export function unpackDetails(packed: readonly Any[]): { reason: string | undefined; details: ErrorDetails } {
  const info = unpack(packed, 'ErrorInfo', ErrorInfo);
  const retry = unpack(packed, 'RetryInfo', RetryInfo);
  const badRequest = unpack(packed, 'BadRequest', BadRequest);
  const precondition = unpack(packed, 'PreconditionFailure', PreconditionFailure);
  const resource = unpack(packed, 'ResourceInfo', ResourceInfo);
  const quota = unpack(packed, 'QuotaFailure', QuotaFailure);
  const details: ErrorDetails = {
    ...(retry && { retryAfterMs: delayOf(retry) }),
    ...(badRequest && {
      violations: badRequest.fieldViolations.map(({ field, description }) => ({ field, description })),
    }),
    ...(precondition && {
      preconditions: precondition.violations.map(({ type, subject, description }) => ({ type, subject, description })),
    }),
    ...(resource && { resource: { type: resource.resourceType, name: resource.resourceName } }),
    ...(quota && { quota: quota.violations.map(({ subject, description }) => ({ subject, description })) }),
    ...(info && Object.keys(info.metadata).length > 0 && { metadata: info.metadata }),
  };
  return { reason: info?.domain === errorDomain ? info.reason : undefined, details };
}
