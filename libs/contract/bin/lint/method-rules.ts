import { ScalarType, type DescField, type DescMessage, type DescMethod } from '@bufbuild/protobuf';
import { MethodOptions_IdempotencyLevel as Level } from '@bufbuild/protobuf/wkt';
import { breaches, nameOf, type Finding } from './finding.ts';
import { isInternal } from './reachable.ts';

type MethodRule = (method: DescMethod) => (string | false | undefined)[];

/** Reads are known by their verbs; every other method is taken for a change. */
const readVerbs = ['Get', 'BatchGet', 'Find', 'List', 'Search', 'Sync', 'Watch', 'Preview', 'Explain'];
const read = new RegExp(`^(${readVerbs.join('|')})[A-Z]`);

/**
 * An exchange of credentials: what it gives is secret and must not be kept, and each has its own answer to a repeat.
 */
const credentials = ['AuthService.Register', 'AuthService.Login', 'AuthService.RefreshSession', 'AuthService.Logout'];

/** Nobody has signed in, so a request id would be nobody's. A one-time token has one effect anyway, as an undoing has. */
const oneTimeTokens = [
  'AuthService.RequestPasswordReset',
  'AuthService.ResetPassword',
  'AuthService.RequestEmailVerification',
  'AuthService.VerifyEmail',
  'AuthService.ReclaimAccount',
];

const isMutation = (method: DescMethod): boolean =>
  !isInternal(method) &&
  method.methodKind === 'unary' &&
  !read.test(method.name) &&
  ![...credentials, ...oneTimeTokens].includes(nameOf(method));

const fieldOf = (message: DescMessage, name: string): DescField | undefined =>
  message.fields.find((field) => field.name === name);

const isScalar = (field: DescField | undefined, scalar: ScalarType): boolean =>
  field?.fieldKind === 'scalar' && field.scalar === scalar;

/** AIP-158. What services read of each other may go on by positions. */
const pages: MethodRule = (method) => {
  if (!/^(List|Search)[A-Z]/.test(method.name) || isInternal(method)) return [];
  const { input, output } = method;
  return [
    !isScalar(fieldOf(input, 'page_size'), ScalarType.INT32) && `${input.name} needs int32 page_size`,
    !isScalar(fieldOf(input, 'page_token'), ScalarType.STRING) && `${input.name} needs string page_token`,
    !isScalar(fieldOf(output, 'next_page_token'), ScalarType.STRING) && `${output.name} needs string next_page_token`,
  ];
};

/** AIP-155 and AIP-163. */
const repeatable: MethodRule = (method) => {
  if (!isMutation(method)) return [];
  const { input } = method;
  return [
    !isScalar(fieldOf(input, 'request_id'), ScalarType.STRING) && `${input.name} needs string request_id`,
    !isScalar(fieldOf(input, 'validate_only'), ScalarType.BOOL) && `${input.name} needs bool validate_only`,
  ];
};

const resourceOf = (method: DescMethod): DescField | undefined =>
  method.input.fields.find((field) => field.fieldKind === 'message' && fieldOf(field.message, 'id') !== undefined);

/** AIP-134. */
const masks: MethodRule = (method) => {
  if (!/^Update[A-Z]/.test(method.name)) return [];
  const mask = fieldOf(method.input, 'update_mask');
  return [
    mask?.message?.typeName !== 'google.protobuf.FieldMask' &&
      `${method.input.name} needs google.protobuf.FieldMask update_mask`,
    resourceOf(method) === undefined && `${method.input.name} needs the resource, with its id`,
  ];
};

const changesOne = /^(Update|Delete|Undelete|Pause|Resume|Enable|Disable|SetRole|Change|RevokeSession$)/;

/** AIP-154: in an update it stands in the resource, elsewhere in the request. */
const etags: MethodRule = (method) => {
  if (isInternal(method) || !changesOne.test(method.name)) return [];
  const holder = /^Update/.test(method.name) ? resourceOf(method)?.message : method.input;
  return [
    holder !== undefined && !isScalar(fieldOf(holder, 'etag'), ScalarType.STRING) && `${holder.name} needs string etag`,
  ];
};

/** AIP-233 to 235. */
const batches: MethodRule = (method) => {
  const [, single] = /^Batch((?:Create|Update|Delete)\w+?)s$/.exec(method.name) ?? [];
  if (single === undefined || isInternal(method)) return [];
  const requests = fieldOf(method.input, 'requests');
  const isOfSingles =
    requests?.fieldKind === 'list' &&
    requests.listKind === 'message' &&
    requests.message.name.startsWith(`${single}Request`);
  return [!isOfSingles && `${method.input.name} needs repeated ${single}Request requests`];
};

/** What has no side effects may be asked for by HTTP GET. */
const levels: MethodRule = (method) => {
  if (isInternal(method)) return [];
  const isRead = read.test(method.name);
  const isDeclared = method.idempotency === Level.NO_SIDE_EFFECTS;
  return [
    isRead && !isDeclared && 'a read needs idempotency_level = NO_SIDE_EFFECTS',
    !isRead &&
      isDeclared &&
      `with idempotency_level = NO_SIDE_EFFECTS it needs the verb of a read: ${readVerbs.join(', ')}`,
  ];
};

const rules: Record<string, MethodRule> = {
  'list-pages': pages,
  'mutation-repeatable': repeatable,
  'update-mask': masks,
  etags,
  'batch-of-requests': batches,
  'reads-without-effects': levels,
};

/** The rules of methods. */
export function checkMethod(method: DescMethod): Finding[] {
  return Object.entries(rules).flatMap(([rule, check]) =>
    breaches(rule, { file: method.parent.file, subject: nameOf(method) }, check(method)),
  );
}
