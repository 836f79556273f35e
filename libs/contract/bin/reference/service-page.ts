import {
  ScalarType,
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
} from '@bufbuild/protobuf';
import { reasonsOf } from '../../src/method-reasons.ts';
import { fileRegistry } from '../../src/descriptors.ts';
import { policyOf, type MethodPolicy } from '../../src/policy.ts';
import { behavior, behaviorsIn } from '../field-behavior.ts';
import { findReachable } from '../lint/reachable.ts';
import type { Block } from './blocks.ts';
import { commentOf } from './comments.ts';
import { grpcurlFor } from './example.ts';
import { reasonByName } from './reasons.ts';
import { ruleText } from './rule-text.ts';

const seconds = (ms: number): string => `${ms / 1000} s`;

function ownTypeOf(field: DescField): DescMessage | DescEnum | undefined {
  if (field.fieldKind === 'message' || (field.fieldKind === 'list' && field.listKind === 'message'))
    return field.message;
  if (field.fieldKind === 'enum' || (field.fieldKind === 'list' && field.listKind === 'enum')) return field.enum;
  return undefined;
}

/** Includes the page: packages may have types of the same name. */
const idOf = (type: DescMessage | DescEnum): string => `${pageOf(type.file)}-${type.name}`.toLowerCase();

const isOurs = (type: DescMessage | DescEnum): boolean => type.typeName.startsWith('taskflow.');

/** The reasons have a page of their own, with a line for each. */
const placeOf = (type: DescMessage | DescEnum): string =>
  type.name === 'ErrorReason' ? 'reasons.md' : `${pageOf(type.file)}.md#${idOf(type)}`;

/** "repeated Task", as a link when the type is described somewhere here. */
function typeText(field: DescField): string {
  const type = ownTypeOf(field);
  const text = type?.name ?? ScalarType[field.scalar ?? 0]?.toLowerCase();
  const link = type !== undefined && isOurs(type) ? `[${text}](${placeOf(type)})` : `\`${text}\``;
  if (field.fieldKind === 'map') return '`map`';
  return field.fieldKind === 'list' ? `repeated ${link}` : link;
}

export const pageOf = (file: DescFile): string => file.name.split('/').at(-1) ?? file.name;

const behaviorsOf = behaviorsIn(fileRegistry);
const { fromRequests } = findReachable(fileRegistry);

/** What a client must or must not send. Messages that only the server sends need no such note. */
function behaviorText(field: DescField): string {
  if (!fromRequests.has(field.parent.typeName)) return '';
  const declared = behaviorsOf(field);
  if (declared.includes(behavior.outputOnly)) return 'Output only. ';
  if (declared.includes(behavior.immutable)) return 'Immutable. ';
  return declared.includes(behavior.required) ? 'Required. ' : '';
}

const rulesOf = (field: DescField): string =>
  [behaviorText(field), choiceText(field), ruleText(field), commentOf(field)].join('');

/** The other fields of its oneof, of which only one may be set. */
function choiceText(field: DescField): string {
  const others = field.oneof?.fields.filter((other) => other !== field).map(({ name }) => `\`${name}\``) ?? [];
  return others.length === 0 ? '' : `Instead of ${others.join(', ')}. `;
}

function fieldTable(message: DescMessage): Block {
  if (message.fields.length === 0) return { kind: 'text', text: `\`${message.name}\` has no fields.` };
  const rows = message.fields.map((field) => [`\`${field.name}\``, typeText(field), rulesOf(field)]);
  return { kind: 'table', head: [`field of ${message.name}`, 'type', 'rules and meaning'], rows };
}

const access: Readonly<Record<MethodPolicy['access'], string>> = {
  public: 'anybody, without credentials',
  user: 'signed-in users',
  admin: 'administrators',
  service: 'services only',
};
const retry: Readonly<Record<MethodPolicy['retry'], string>> = {
  always: 'safe to repeat',
  with_request_id: 'safe to repeat with a `request_id`',
  never: 'not safe to repeat',
};

const retryText = (policy: MethodPolicy): string =>
  policy.endsOwnToken
    ? `${retry[policy.retry]}; with a \`request_id\` also when the call has ended its token`
    : retry[policy.retry];

function tokenText({ access, scope }: MethodPolicy): string {
  if (access === 'public' || access === 'service') return 'not needed';
  if (scope === 'any') return 'with any scope';
  return scope === undefined ? 'never: sign in' : `with the scope \`${scope}\``;
}

function rateLimitText({ rateLimit }: MethodPolicy): string {
  if (rateLimit === undefined) return 'none';
  const who = rateLimit.key === 'user' ? 'user' : 'address';
  return `${rateLimit.requests} in ${seconds(rateLimit.perMs)} for each ${who}; without the store of the limits: ${rateLimit.failClosed ? 'refused' : 'let through'}`;
}

function policyTable(policy: MethodPolicy): Block {
  const callers = policy.callers.length > 0 ? ` (called by ${policy.callers.join(', ')})` : '';
  return {
    kind: 'table',
    head: ['policy', ''],
    rows: [
      ['access', `${access[policy.access]}${callers}`],
      ['sensitive', policy.sensitive ? 'yes: refused while revocations cannot be followed' : 'no'],
      ['personal token', tokenText(policy)],
      ['deadline', `${seconds(policy.deadlineMs)}, given and at most granted`],
      ['retry', retryText(policy)],
      ['rate limit', rateLimitText(policy)],
      ['while a service it needs is down', policy.degradation === '' ? 'needs none' : policy.degradation],
    ],
  };
}

function errorTable(policy: MethodPolicy): Block {
  const { own, request, access: ofAccess } = reasonsOf(policy);
  const names = [...new Set([...own, ...request, ...ofAccess])];
  const rows = names.map((name) => {
    const reason = reasonByName.get(name);
    return [`\`${reason?.code ?? ''}\``, `[${name}](reasons.md)`, reason?.meaning ?? ''];
  });
  return { kind: 'table', head: ['code', 'reason', 'when'], rows };
}

function methodBlocks(method: DescMethod): Block[] {
  const policy = policyOf(`/${method.parent.typeName}/${method.name}`);
  const streams = method.methodKind === 'server_streaming' ? ' The answer is a stream.' : '';
  return [
    { kind: 'heading', level: 2, text: method.name, id: `${method.parent.name}-${method.name}`.toLowerCase() },
    { kind: 'text', text: `\`${policy.path.slice(1)}\`` },
    { kind: 'text', text: `${commentOf(method)}${streams}` },
    policyTable(policy),
    fieldTable(method.input),
    fieldTable(method.output),
    errorTable(policy),
    {
      kind: 'text',
      text: `And what every method can answer: ${reasonsOf(policy)
        .any.map((name) => `\`${name}\``)
        .join(', ')}.`,
    },
    { kind: 'code', text: grpcurlFor(method, policy) },
  ];
}

function typeBlocks(file: DescFile): Block[] {
  const ofMethods = new Set(
    file.services.flatMap(({ methods }) => methods.flatMap(({ input, output }) => [input.typeName, output.typeName])),
  );
  const ofFields = new Set(file.messages.flatMap(({ fields }) => fields.map((field) => ownTypeOf(field)?.typeName)));
  const messages = file.messages.filter(({ typeName }) => !ofMethods.has(typeName) || ofFields.has(typeName));
  const enums = file.enums.map((type): Block[] => [
    { kind: 'heading', level: 3, text: type.name, id: idOf(type) },
    { kind: 'text', text: commentOf(type) },
    {
      kind: 'table',
      head: ['value', 'meaning'],
      rows: type.values.map((value) => [`\`${value.name}\``, commentOf(value)]),
    },
  ]);
  const described = messages.map((message): Block[] => {
    const comment = commentOf(message);
    const heading: Block = { kind: 'heading', level: 3, text: message.name, id: idOf(message) };
    return comment === ''
      ? [heading, fieldTable(message)]
      : [heading, { kind: 'text', text: comment }, fieldTable(message)];
  });
  const all = [...described, ...enums].flat();
  return all.length === 0
    ? []
    : [{ kind: 'heading', level: 2, text: `Types of ${pageOf(file)}`, id: `${pageOf(file)}-types` }, ...all];
}

/** Everything that one .proto file offers. */
export function serviceBlocks(file: DescFile): Block[] {
  const services = file.services.flatMap((service): Block[] => [
    { kind: 'heading', level: 1, text: service.name, id: service.name.toLowerCase() },
    { kind: 'text', text: commentOf(service) || `\`${service.typeName}\`` },
    ...service.methods.flatMap(methodBlocks),
  ]);
  return [...services, ...typeBlocks(file)];
}
