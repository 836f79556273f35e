import type { DescMessage, FileRegistry } from '@bufbuild/protobuf';
import { fieldRules } from './field-rules.ts';
import { fileRules } from './file-rules.ts';
import { isOurs, packageOf, type Finding } from './finding.ts';
import { checkMethod } from './method-rules.ts';
import { methodsOf } from './reachable.ts';

const withNested = (message: DescMessage): DescMessage[] => [message, ...message.nestedMessages.flatMap(withNested)];

/**
 * What buf's lint does not know: the rules of proto/README.md, on a registry whose files have their comments. The
 * messages of the policy are options, which no client sends; the rules of fields are not for them.
 */
export function lintContract(registry: FileRegistry): Finding[] {
  const files = [...registry.files].filter(isOurs);
  const checkField = fieldRules(registry);
  const messages = files.filter((file) => packageOf(file) !== 'policy').flatMap((file) => file.messages);
  return [
    ...files.flatMap((file) => fileRules.flatMap((rule) => rule(file))),
    ...messages.flatMap(withNested).flatMap(({ fields }) => fields.flatMap(checkField)),
    ...methodsOf(registry).flatMap(checkMethod),
  ];
}

export function toLine({ file, subject, rule, message }: Finding): string {
  return `${file}: ${subject === '' ? '' : `${subject}: `}${message} (${rule})`;
}
