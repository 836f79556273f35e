import type { AppError, ErrorDetails } from '#libs/errors';
import type { Any } from '#google/protobuf/any';
import type { Duration } from '#google/protobuf/duration';
import { BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RequestInfo, ResourceInfo, RetryInfo } from '#google/rpc/error_details';

/** The domain of every google.rpc.ErrorInfo of TaskFlow. */
export const errorDomain = 'taskflow';

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

function toDuration(ms: number): Duration {
  const whole = Math.max(0, Math.ceil(ms));
  return { seconds: BigInt(Math.floor(whole / 1000)), nanos: (whole % 1000) * 1_000_000 };
}
const toMs = (duration: Duration | undefined): number => (duration === undefined ? 0 : Number(duration.seconds) * 1000 + duration.nanos / 1e6);

// Details travel in an HTTP/2 header; clients accept about 8 KiB of headers, base64 takes a third of it.
const maxViolationBytes = 4000;

/** As many violations as fit, with a last line that says how many were left out. */
function packViolations(violations: NonNullable<ErrorDetails['violations']>): Any {
  let size = 0;
  const fitting = violations.filter(({ field, description }) => (size += field.length + description.length * 3 + 8) <= maxViolationBytes);
  const left = violations.length - fitting.length;
  const note = left === 0 ? [] : [{ field: '', description: `and ${left} more` }];
  const fieldViolations = [...fitting, ...note].map((violation) => ({ ...violation, reason: '', localizedMessage: undefined }));
  return pack('BadRequest', BadRequest, { fieldViolations });
}

export function packRequestInfo(callId: string): Any {
  return pack('RequestInfo', RequestInfo, { requestId: callId, servingData: '' });
}

/** The google.rpc details of an error: ErrorInfo and RequestInfo always, the others as far as the error has them. */
export function packDetails(error: AppError, callId: string): Any[] {
  const { violations, retryAfterMs, preconditions, resource, quota, metadata = {} } = error.details;
  const packed = [
    pack('ErrorInfo', ErrorInfo, { reason: error.reason, domain: errorDomain, metadata }),
    packRequestInfo(callId),
  ];
  if (violations !== undefined) packed.push(packViolations(violations));
  if (retryAfterMs !== undefined) packed.push(pack('RetryInfo', RetryInfo, { retryDelay: toDuration(retryAfterMs) }));
  if (preconditions !== undefined) packed.push(pack('PreconditionFailure', PreconditionFailure, { violations: preconditions }));
  if (resource !== undefined) {
    packed.push(pack('ResourceInfo', ResourceInfo, { resourceType: resource.type, resourceName: resource.name, owner: '', description: '' }));
  }
  if (quota !== undefined) packed.push(pack('QuotaFailure', QuotaFailure, QuotaFailure.fromPartial({ violations: quota })));
  return packed;
}

/** The other direction: what a callee told. `reason` is absent when the status did not come from a TaskFlow service. */
export function unpackDetails(packed: readonly Any[]): { reason: string | undefined; details: ErrorDetails } {
  const info = unpack(packed, 'ErrorInfo', ErrorInfo);
  const retry = unpack(packed, 'RetryInfo', RetryInfo);
  const badRequest = unpack(packed, 'BadRequest', BadRequest);
  const precondition = unpack(packed, 'PreconditionFailure', PreconditionFailure);
  const resource = unpack(packed, 'ResourceInfo', ResourceInfo);
  const quota = unpack(packed, 'QuotaFailure', QuotaFailure);
  const details: ErrorDetails = {
    ...(retry && { retryAfterMs: toMs(retry.retryDelay) }),
    ...(badRequest && { violations: badRequest.fieldViolations.map(({ field, description }) => ({ field, description })) }),
    ...(precondition && { preconditions: precondition.violations.map(({ type, subject, description }) => ({ type, subject, description })) }),
    ...(resource && { resource: { type: resource.resourceType, name: resource.resourceName } }),
    ...(quota && { quota: quota.violations.map(({ subject, description }) => ({ subject, description })) }),
    ...(info && Object.keys(info.metadata).length > 0 && { metadata: info.metadata }),
  };
  return { reason: info?.domain === errorDomain ? info.reason : undefined, details };
}
