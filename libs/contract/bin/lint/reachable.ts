import type { DescMessage, DescMethod, FileRegistry } from '@bufbuild/protobuf';
import { isOurs } from './finding.ts';

/** Names of the messages that can be met on the way from a method. */
export interface Reachable {
  fromRequests: ReadonlySet<string>;
  fromAnswers: ReadonlySet<string>;
  /** From requests and answers of services that users may call. */
  fromPublic: ReadonlySet<string>;
}

/** A service whose methods only other services may call. */
export const isInternal = ({ parent }: DescMethod): boolean => parent.name.startsWith('Internal');

function collect(message: DescMessage, found: Set<string>): void {
  if (found.has(message.typeName)) return;
  found.add(message.typeName);
  for (const { message: inner } of message.fields) if (inner !== undefined) collect(inner, found);
}

export function methodsOf(registry: FileRegistry): DescMethod[] {
  return [...registry.files].filter(isOurs).flatMap(({ services }) => services.flatMap(({ methods }) => methods));
}

export function findReachable(registry: FileRegistry): Reachable {
  const [fromRequests, fromAnswers, fromPublic] = [new Set<string>(), new Set<string>(), new Set<string>()];
  for (const method of methodsOf(registry)) {
    collect(method.input, fromRequests);
    collect(method.output, fromAnswers);
    if (!isInternal(method)) for (const message of [method.input, method.output]) collect(message, fromPublic);
  }
  return { fromRequests, fromAnswers, fromPublic };
}
