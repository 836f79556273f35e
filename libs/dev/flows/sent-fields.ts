import { getOption, type DescExtension, type DescField, type DescMessage, type DescMethod } from '@bufbuild/protobuf';
import { fileRegistry } from '#libs/contract';

/** A field of a request: the way to it through the messages that hold it. */
export type FieldPath = readonly DescField[];

const behaviorOption = fileRegistry.getExtension('google.api.field_behavior') as DescExtension;
const [outputOnly, immutable, identifier] = [3, 5, 8] as const;

const behaves = (field: DescField, as: number): boolean => (getOption(field, behaviorOption) as number[]).includes(as);

/** What a creation does not read of a resource, or an update. */
function isIgnored(field: DescField, method: DescMethod): boolean {
  const isResource = field.parent.fields.some((one) => behaves(one, identifier));
  if (!isResource) return false;
  return /^(Batch)?Update/.test(method.name)
    ? behaves(field, immutable)
    : behaves(field, identifier) || field.name === 'etag';
}

function fieldsIn(message: DescMessage, method: DescMethod, above: FieldPath): FieldPath[] {
  const isMember = above.some(({ fieldKind }) => fieldKind === 'list');
  return message.fields.flatMap((field) => {
    const isCommon = isMember && ['request_id', 'validate_only'].includes(field.name);
    if (behaves(field, outputOnly) || isCommon || isIgnored(field, method)) return [];
    const path = [...above, field];
    const isOurs = field.message?.typeName.startsWith('taskflow.') ?? false;
    return [path, ...(isOurs ? fieldsIn(field.message as DescMessage, method, path) : [])];
  });
}

/** Every field of a method's request that the server reads. */
export const fieldsSentTo = (method: DescMethod): FieldPath[] => fieldsIn(method.input, method, []);

/** "task.due_day.date" */
export const nameOf = (path: FieldPath): string => path.map(({ name }) => name).join('.');
