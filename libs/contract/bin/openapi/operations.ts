import type { DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Idempotency } from '@bufbuild/protobuf/wkt';
import { reasonsOf } from '../../src/method-reasons.ts';
import { policyOf, type MethodPolicy } from '../../src/policy.ts';
import { commentOf } from '../reference/comments.ts';
import { reasonByName, type Reason } from '../reference/reasons.ts';
import type { Components } from './components.ts';
import type { Schema } from './schema-of-rule.ts';

/** The status of HTTP for each code, as the Connect protocol has it. */
const statuses: Readonly<Record<string, string>> = {
  INVALID_ARGUMENT: '400',
  FAILED_PRECONDITION: '400',
  OUT_OF_RANGE: '400',
  UNAUTHENTICATED: '401',
  PERMISSION_DENIED: '403',
  NOT_FOUND: '404',
  ALREADY_EXISTS: '409',
  ABORTED: '409',
  RESOURCE_EXHAUSTED: '429',
  CANCELLED: '499',
  INTERNAL: '500',
  UNIMPLEMENTED: '501',
  UNAVAILABLE: '503',
  DEADLINE_EXCEEDED: '504',
};

const error = { $ref: '#/components/schemas/Error' };

function errorResponses(policy: MethodPolicy): Record<string, Schema> {
  const { own, request, access } = reasonsOf(policy);
  const reasons = [...new Set([...own, ...request, ...access])].flatMap((name) => reasonByName.get(name) ?? []);
  const byStatus = Map.groupBy(reasons, ({ code }) => statuses[code] ?? '500');
  const lineOf = ({ name, code, meaning }: Reason): string => `- \`${code}\` / \`${name}\`: ${meaning}`;
  const responses = [...byStatus]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, all]) => [
      status,
      { description: all.map(lineOf).join('\n'), content: { 'application/json': { schema: error } } },
    ]);
  return Object.fromEntries(responses) as Record<string, Schema>;
}

const anyError = { default: { $ref: '#/components/responses/AnyError' } };

function extensionsOf({ access, scope, sensitive, deadlineMs, retry, rateLimit, degradation }: MethodPolicy): Schema {
  return {
    'x-taskflow-access': access,
    ...(scope !== undefined && { 'x-taskflow-scope': scope }),
    'x-taskflow-sensitive': sensitive,
    'x-taskflow-deadline': `${deadlineMs / 1000}s`,
    'x-taskflow-retry': retry,
    ...(rateLimit !== undefined && {
      'x-taskflow-rate-limit': {
        requests: rateLimit.requests,
        per: `${rateLimit.perMs / 1000}s`,
        key: rateLimit.key,
        failClosed: rateLimit.failClosed,
      },
    }),
    ...(degradation !== '' && { 'x-taskflow-degradation': degradation }),
  };
}

const securityOf = ({ access, scope }: MethodPolicy): Schema[] => {
  if (access === 'public') return [];
  return scope === undefined ? [{ accessToken: [] }] : [{ accessToken: [] }, { personalToken: [] }];
};

const noSideEffects = ({ proto }: DescMethod): boolean =>
  proto.options?.idempotencyLevel === Idempotency.NO_SIDE_EFFECTS;

const envelopes =
  'A stream of the Connect protocol: each message, in both directions, stands in an envelope of one byte of flags and ' +
  'four of its length. The last envelope has the flag 2 and holds `{"error": …}` or `{}`.';

/** The paths of one method: a POST, and a GET for a read that has no side effects. */
export function pathItem(method: DescMethod, { refer }: Components): Schema {
  const policy = policyOf(`/${method.parent.typeName}/${method.name}`);
  const isStream = method.methodKind === 'server_streaming';
  const type = isStream ? 'application/connect+json' : 'application/json';
  const request = refer(method.input, 'request');
  const comment = commentOf(method);
  const operation = {
    tags: [method.parent.name],
    summary: method.name,
    description: isStream ? `${comment}\n\n${envelopes}` : comment,
    security: securityOf(policy),
    ...extensionsOf(policy),
  };
  const responses = {
    200: {
      description: isStream ? 'Each message of the stream, in its envelope.' : 'It was done.',
      content: { [type]: { schema: refer(method.output, 'answer') } },
    },
    ...(isStream ? {} : errorResponses(policy)),
    ...anyError,
  };
  const id = `${method.parent.name}_${method.name}`;
  const post = {
    ...operation,
    operationId: id,
    parameters: [{ $ref: '#/components/parameters/Timeout' }],
    requestBody: { required: true, content: { [type]: { schema: request } } },
    responses,
  };
  if (isStream || !noSideEffects(method)) return { post };
  const parameters = [
    { name: 'message', in: 'query', required: true, content: { 'application/json': { schema: request } } },
    { $ref: '#/components/parameters/Encoding' },
  ];
  return { post, get: { ...operation, operationId: `${id}_get`, parameters, responses } };
}
