import { fileDescriptors, fileRegistry } from '#libs/contract';
import type { DescExtension, DescFile, DescMessage } from '@bufbuild/protobuf';

const filesByName = new Map(fileDescriptors.map((file) => [file.name, file]));

/** Extensions by the message that they extend, and there by their number. */
const extensions = new Map<string, Map<number, DescExtension>>();

/** The name of the file that declares a symbol: message, field, oneof, enum, enum value, service, method or extension. */
const filesBySymbol = new Map<string, string>();

function indexMessage(message: DescMessage, file: string): void {
  filesBySymbol.set(message.typeName, file);
  for (const member of message.members) filesBySymbol.set(`${message.typeName}.${member.name}`, file);
  for (const child of message.nestedMessages) indexMessage(child, file);
  for (const child of message.nestedEnums) indexEnum(child, file);
  for (const child of message.nestedExtensions) indexExtension(child, file);
}

function indexEnum(type: DescFile['enums'][number], file: string): void {
  filesBySymbol.set(type.typeName, file);
  // The values of an enum live in the scope around it.
  const scope = type.typeName.slice(0, type.typeName.lastIndexOf('.') + 1);
  for (const value of type.values) filesBySymbol.set(`${scope}${value.name}`, file);
}

function indexExtension(extension: DescExtension, file: string): void {
  filesBySymbol.set(extension.typeName, file);
  const extendee = extension.extendee.typeName;
  const known = extensions.get(extendee) ?? new Map<number, DescExtension>();
  extensions.set(extendee, known.set(extension.number, extension));
}

/** In the registry names of files stand without the suffix ".proto". */
const fileName = (file: DescFile): string => `${file.name}.proto`;

for (const file of fileRegistry.files) {
  const name = fileName(file);
  for (const message of file.messages) indexMessage(message, name);
  for (const type of file.enums) indexEnum(type, name);
  for (const extension of file.extensions) indexExtension(extension, name);
  for (const service of file.services) {
    filesBySymbol.set(service.typeName, name);
    for (const method of service.methods) filesBySymbol.set(`${service.typeName}.${method.name}`, name);
  }
}

/** The serialized descriptor of a file and of everything that it imports, itself first; undefined when there is no such file. */
export function findFile(name: string): Buffer[] | undefined {
  if (!filesByName.has(name)) return undefined;
  // A Set also visits what is added while it is walked.
  const closure = new Set([name]);
  for (const visited of closure) for (const imported of filesByName.get(visited)?.imports ?? []) closure.add(imported);
  // The contract's list has imports before the files that import them.
  return fileDescriptors.filter((file) => closure.has(file.name)).map((file) => Buffer.from(file.bytes)).reverse();
}

/** The same for the file that declares a symbol, for instance "taskflow.tasks.v1.TasksService.GetTask". */
export function findFileOfSymbol(symbol: string): Buffer[] | undefined {
  const file = filesBySymbol.get(symbol);
  return file === undefined ? undefined : findFile(file);
}

/** The same for the file that declares the extension with this number. */
export function findFileOfExtension(extendee: string, number: number): Buffer[] | undefined {
  const extension = extensions.get(extendee)?.get(number);
  return extension === undefined ? undefined : findFile(fileName(extension.file));
}

/** The numbers of all extensions of a message; undefined when there is no such message. */
export function findExtensionNumbers(messageName: string): number[] | undefined {
  if (fileRegistry.getMessage(messageName) === undefined) return undefined;
  return [...(extensions.get(messageName)?.keys() ?? [])];
}
