import { ArrayType } from '@mikro-orm/core';

/** text[] with every element quoted: the ORM's own leaves NULL as it is, and a label of that name would become none. */
export class LabelsType extends ArrayType<string> {
  override convertToDatabaseValue(labels: string[]): string {
    return `{${labels.map((label) => `"${label.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
  }
  override getColumnType(): string {
    return 'text[]';
  }
}
