import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  BadRequestSchema,
  ErrorInfoSchema,
  PreconditionFailureSchema,
  QuotaFailureSchema,
  RequestInfoSchema,
  ResourceInfoSchema,
  RetryInfoSchema,
} from './gen/google/rpc/error_details_pb.js';
import { errorDomain, type ErrorReason } from './gen/reasons.ts';

/** What is wrong with a field of the request. */
export interface FieldViolation {
  /** As the contract names it: `task.title`. */
  field: string;
  description: string;
}

/** What a service told of an error. */
export interface ErrorDetails {
  reason: ErrorReason | (string & {}) | undefined;
  metadata: Readonly<Record<string, string>>;
  violations: readonly FieldViolation[];
  preconditions: readonly { type: string; subject: string; description: string }[];
  quotas: readonly { subject: string; description: string }[];
  resource: { type: string; name: string } | undefined;
  retryAfterMs: number | undefined;
  callId: string | undefined;
}

/** The details of a type. */
export type FindDetails = <D extends DescMessage>(schema: D) => MessageShape<D>[];

export function readDetails(find: FindDetails): ErrorDetails {
  const info = find(ErrorInfoSchema).find((one) => one.domain === errorDomain);
  const [retry] = find(RetryInfoSchema);
  return {
    reason: info?.reason,
    metadata: info?.metadata ?? {},
    violations: find(BadRequestSchema).flatMap(({ fieldViolations }) =>
      fieldViolations.map(({ field, description }) => ({ field, description })),
    ),
    preconditions: find(PreconditionFailureSchema).flatMap(({ violations }) =>
      violations.map(({ type, subject, description }) => ({ type, subject, description })),
    ),
    quotas: find(QuotaFailureSchema).flatMap(({ violations }) =>
      violations.map(({ subject, description }) => ({ subject, description })),
    ),
    resource: find(ResourceInfoSchema).map(({ resourceType: type, resourceName: name }) => ({ type, name }))[0],
    retryAfterMs: retry?.retryDelay && durationMs(retry.retryDelay),
    callId: find(RequestInfoSchema)[0]?.requestId,
  };
}
