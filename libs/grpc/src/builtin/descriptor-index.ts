import { fileDescriptors, fileRegistry } from '#libs/contract';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import type { DescEnum, DescExtension, DescMessage, DescService } from '@bufbuild/protobuf';

const filesByName = new Map(fileDescriptors.map((file) => [file.name, file]));

/** The full names that a type declares: its own, and those of its fields, oneofs, values or methods. */
function symbolsOf(type: DescMessage | DescEnum | DescExtension | DescService): string[] {
  const { kind, typeName } = type;
  if (kind === 'extension') return [typeName];
  if (kind === 'message') return [typeName, ...type.members.map(({ name }) => `${typeName}.${name}`)];
  if (kind === 'service') return [typeName, ...type.methods.map(({ name }) => `${typeName}.${name}`)];
  // The values of an enum belong to the scope around it.
  const scope = typeName.slice(0, typeName.lastIndexOf('.') + 1);
  return [typeName, ...type.values.map(({ name }) => `${scope}${name}`)];
}

const types = [...fileRegistry.files].flatMap((file) => [...nestedTypes(file)]);
const extensions = types.filter((type) => type.kind === 'extension');
/** The registry names files without the suffix ".proto". */
const filesBySymbol = new Map(
  types.flatMap((type) => symbolsOf(type).map((symbol) => [symbol, `${type.file.name}.proto`])),
);

/** The serialized descriptors of a file and of all its imports, the file first; undefined for an unknown file. */
export function findFile(name: string): Buffer[] | undefined {
  if (!filesByName.has(name)) return undefined;
  // Iterating a Set also visits the entries that are added meanwhile.
  const closure = new Set([name]);
  for (const visited of closure) for (const imported of filesByName.get(visited)?.imports ?? []) closure.add(imported);
  // The contract's list has imports before the files that import them.
  return fileDescriptors
    .filter((file) => closure.has(file.name))
    .map((file) => Buffer.from(file.bytes))
    .reverse();
}

/** The same for the file that declares a symbol, for instance "taskflow.tasks.v1.TasksService.GetTask". */
export function findFileOfSymbol(symbol: string): Buffer[] | undefined {
  const file = filesBySymbol.get(symbol);
  return file === undefined ? undefined : findFile(file);
}

/** The same for the file that declares the extension with this number. */
export function findFileOfExtension(extendee: string, number: number): Buffer[] | undefined {
  const extension = extensions.find((one) => one.extendee.typeName === extendee && one.number === number);
  return extension && findFileOfSymbol(extension.typeName);
}

/** The numbers of all extensions of a message; undefined when there is no such message. */
export function findExtensionNumbers(messageName: string): number[] | undefined {
  if (fileRegistry.getMessage(messageName) === undefined) return undefined;
  return extensions.filter(({ extendee }) => extendee.typeName === messageName).map(({ number }) => number);
}
