import type { DescMethod } from '@bufbuild/protobuf';
import { fileRegistry } from './descriptors.ts';
import type { MethodPolicy } from './policy.ts';

/** The reasons that errors of a method can have, by where they come from. */
export interface MethodReasons {
  /** Declared for this method. */
  own: readonly string[];
  /** Follow from the fields of its request. */
  request: readonly string[];
  /** Follow from its access, its sensitivity and its rate limit. */
  access: readonly string[];
  /** Those of every method. */
  any: readonly string[];
}

const ofAnyMethod = [
  'MALFORMED_REQUEST',
  'REQUEST_TOO_LARGE',
  'HEADERS_TOO_LARGE',
  'DEADLINE_EXCEEDED',
  'DEADLINE_TOO_SHORT',
  'CANCELLED',
  'OVERLOADED',
  'SHUTTING_DOWN',
  'DATABASE_UNAVAILABLE',
  'UNIMPLEMENTED',
  'INTERNAL',
];

const ofCredentials = ['CREDENTIALS_MISSING', 'TOKEN_INVALID', 'KEYS_UNAVAILABLE'];

/** Of personal tokens. RATE_LIMITED: an address has tried too many that do not exist. */
const ofTokens = ['TOKENS_UNAVAILABLE', 'RATE_LIMITED'];

const ofAccess: Readonly<Record<MethodPolicy['access'], readonly string[]>> = {
  public: [],
  user: ofCredentials,
  admin: [...ofCredentials, 'ADMIN_REQUIRED'],
  service: ['CREDENTIALS_MISSING', 'TOKEN_INVALID', 'SERVICE_IDENTITY_REQUIRED', 'CALLER_NOT_ALLOWED'],
};

const ofFields: Readonly<Record<string, readonly string[]>> = {
  page_token: ['PAGE_TOKEN_INVALID'],
  resume_token: ['RESUME_TOKEN_INVALID'],
  request_id: ['REQUEST_ID_REUSED', 'REQUEST_IN_PROGRESS', 'ANSWER_REMOVED'],
};

/** The method's descriptor. */
export function descriptorOf({ service, method, path }: MethodPolicy): DescMethod {
  const found = fileRegistry.getService(service)?.methods.find(({ name }) => name === method);
  if (found === undefined) throw new Error(`the contract has no descriptor of ${path}`);
  return found;
}

function ofScope({ access, scope }: MethodPolicy): readonly string[] {
  if (access === 'public' || access === 'service') return [];
  if (scope === 'any') return ofTokens;
  return [scope === undefined ? 'SESSION_REQUIRED' : 'MISSING_SCOPE', ...ofTokens];
}

/** Every reason that a client of the method may get. */
export function reasonsOf(policy: MethodPolicy): MethodReasons {
  const { fields } = descriptorOf(policy).input;
  const limited =
    policy.rateLimit === undefined
      ? []
      : ['RATE_LIMITED', ...(policy.rateLimit.failClosed ? ['LIMITS_UNAVAILABLE'] : [])];
  return {
    own: policy.reasons,
    request: [...(fields.length > 0 ? ['INVALID_FIELD'] : []), ...fields.flatMap(({ name }) => ofFields[name] ?? [])],
    access: [
      ...ofAccess[policy.access],
      ...ofScope(policy),
      ...(policy.sensitive ? ['REVOCATIONS_STALE'] : []),
      ...limited,
    ],
    any: ofAnyMethod,
  };
}
