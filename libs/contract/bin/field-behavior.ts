import { getOption, type DescExtension, type DescField, type FileRegistry } from '@bufbuild/protobuf';

/** google.api.FieldBehavior, as far as the contract uses it. */
export const behavior = { optional: 1, required: 2, outputOnly: 3, inputOnly: 4, immutable: 5, identifier: 8 } as const;

/** Reads what the contract declares of a field. */
export function behaviorsIn(registry: FileRegistry): (field: DescField) => readonly number[] {
  const option = registry.getExtension('google.api.field_behavior') as DescExtension;
  return (field) => getOption(field, option) as number[];
}
