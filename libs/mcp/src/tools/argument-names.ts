import type { DescMessage, DescMethod } from '@bufbuild/protobuf';
import type { FieldViolation } from '#client/index';
import { maskOf, type Argument, type Shape, type Tool } from './tool.ts';

/** Says a fault of a field in the words of a tool. */
export type Naming = (violation: FieldViolation) => FieldViolation;

/** `requests[3]` is `requests` and `[3]`. */
const plain = (part: string): string => part.replace(/\[\d+\]$/, '');
const indexOf = (part: string): string => part.slice(plain(part).length);

/** The names of protobuf's JSON. One that the contract does not have stays as the agent sent it. */
function toJsonNames(message: DescMessage, field: string): string[] {
  let type: DescMessage | undefined = message;
  return field.split('.').map((part) => {
    const found = type?.fields.find(({ name, jsonName }) => name === plain(part) || jsonName === plain(part));
    const oneof = type?.oneofs.find(({ name }) => name === part);
    type = found?.message;
    return found === undefined ? (oneof?.localName ?? part) : `${found.jsonName}${indexOf(part)}`;
  });
}

const messageAt = (message: DescMessage | undefined, path: readonly string[]): DescMessage | undefined =>
  path.reduce<DescMessage | undefined>(
    (type, part) => type?.fields.find(({ jsonName }) => jsonName === part)?.message,
    message,
  );

/** The arguments that a tool has in place of a field that it does not have itself. */
function standIns({ arguments: all, masked }: Shape, message: DescMessage | undefined, field: string): Argument[] {
  if (field === 'updateMask') return all.filter((one) => maskOf(one, masked) !== undefined);
  const group = message?.oneofs.find(({ localName }) => localName === field)?.fields.map(({ jsonName }) => jsonName);
  return all.filter(({ path: [first = ''] }) => (group ?? [field]).includes(first));
}

interface Fault {
  parts: readonly string[];
  description: string;
}

/** Of a field that an argument fills, or that stands below it. */
function nameBelow(found: Argument, message: DescMessage | undefined, { parts, description }: Fault): FieldViolation {
  const name = `${found.name}${indexOf(parts[found.path.length - 1] ?? '')}`;
  const rest = parts.slice(found.path.length);
  if (found.entries === undefined || rest.length === 0) return { field: [name, ...rest].join('.'), description };
  const inner = nameFault(found.entries, messageAt(message, found.path), { parts: rest, description });
  return { ...inner, field: `${name}.${inner.field}` };
}

function nameFault(shape: Shape, message: DescMessage | undefined, fault: Fault): FieldViolation {
  const { parts, description } = fault;
  const found = shape.arguments.find(({ path }) => path.every((name, index) => plain(parts[index] ?? '') === name));
  if (found !== undefined) return nameBelow(found, message, fault);
  const [field = '', ...below] = parts;
  const [first, ...others] = below.length > 0 ? [] : standIns(shape, message, field).map(({ name }) => name);
  if (first === undefined) return { field: parts.join('.'), description };
  // Of a mask or a oneof the words name what agents do not see.
  const isOwn = others.length === 0 || (field !== 'updateMask' && messageAt(message, [field]) !== undefined);
  return { field: first, description: isOwn ? description : `must be given, or one of ${others.join(', ')}` };
}

/** Every field below a message, once. */
function fieldsBelow(message: DescMessage, seen = new Set<DescMessage>()): string[] {
  if (seen.has(message)) return [];
  seen.add(message);
  return message.fields.flatMap((field) => [field.name, ...(field.message ? fieldsBelow(field.message, seen) : [])]);
}

const toCamel = (name: string): string => name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** A text of the contract: fields of the request, and those of the answer, by the names that agents use. */
export function inToolWords({ input, output }: DescMethod, text: string): string {
  const known = new Set([...fieldsBelow(input), ...output.fields.map(({ name }) => name)]);
  return text.replaceAll(/\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b/g, (word) => (known.has(word) ? toCamel(word) : word));
}

/** `task.due_day.time_zone` of a request is `dueDay.timeZone` to the agent. */
export function namingOf(tool: Tool): Naming {
  const { method } = tool;
  const inWords = (field: string, description: string): FieldViolation =>
    nameFault(tool, method.input, { parts: toJsonNames(method.input, field), description });
  return ({ field, description }) => {
    // That there are more is said of no field.
    if (field === '') return { field, description };
    const toOther = (_: string, words: string, name: string): string =>
      `${words}${inWords([...field.split('.').slice(0, -1), name].join('.'), '').field}`;
    const told = description.replace(/(must not be set together with )(\w+)/, toOther);
    return inWords(field, inToolWords(method, told));
  };
}
