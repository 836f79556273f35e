import type { DescFile } from '@bufbuild/protobuf';
import { breaches, packageOf, type Finding } from './finding.ts';

const toPascal = (name: string): string =>
  name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** The options that let every language generate without flags, as the package and the file's name give them. */
function languageOptions(file: DescFile): Finding[] {
  const { options } = file.proto;
  const name = packageOf(file);
  const pascal = toPascal(name);
  const base = file.name.split('/').at(-1) ?? '';
  const expected = {
    goPackage: `taskflow.dev/gen/go/taskflow/${name}/v1;${name}v1`,
    javaPackage: `dev.taskflow.${name}.v1`,
    javaMultipleFiles: true,
    javaOuterClassname: `${toPascal(base)}Proto`,
    csharpNamespace: `Taskflow.${pascal}.V1`,
    phpNamespace: `Taskflow\\${pascal}\\V1`,
    rubyPackage: `Taskflow::${pascal}::V1`,
  } as const;
  const faults = Object.entries(expected).map(
    ([key, value]) => options?.[key as keyof typeof expected] !== value && `${toSnake(key)} has to be ${quoted(value)}`,
  );
  const prefix = options?.objcClassPrefix ?? '';
  const prefixes = [
    !/^TF[A-Z]{1,3}$/.test(prefix) && 'objc_class_prefix has to be TF and one to three capitals',
    options?.swiftPrefix !== prefix && 'swift_prefix has to be the same as objc_class_prefix',
  ];
  return breaches('language-options', { file, subject: '' }, [...faults, ...prefixes]);
}

const toSnake = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const quoted = (value: string | boolean): string => (typeof value === 'string' ? `"${value}"` : String(value));

/** Services share nothing but the policy; a type that two of them need is copied, so that each can change alone. */
function ownImports(file: DescFile): Finding[] {
  const isForeign = (name: string): boolean =>
    name.startsWith('taskflow/') && ![packageOf(file), 'policy'].includes(name.split('/')[1] ?? '');
  const messages = file.proto.dependency
    .filter(isForeign)
    .map((name) => `must not import ${name}; copy what it needs into its own package`);
  return breaches('own-imports', { file, subject: '' }, messages);
}

export const fileRules = [languageOptions, ownImports];
