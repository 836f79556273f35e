/**
 * Checks manifests against the Kubernetes API without a cluster. The package kubernetes-models is generated from the
 * API's OpenAPI document: its validators check types, formats, enumerations and required fields but let unknown
 * fields pass, as the document does; its types are closed, so the compiler refuses those.
 */
import { join } from 'node:path';
import ts from 'typescript';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
}

interface Model {
  validate(): void;
}

/** The packages of the kinds that the core of Kubernetes does not have, by API group. */
const packagesOfGroups = new Map([
  ['cert-manager.io', '@kubernetes-models/cert-manager'],
  ['gateway.networking.k8s.io', '@kubernetes-models/gateway-api'],
  ['monitoring.coreos.com', '@kubernetes-models/prometheus-operator'],
]);

/** The packages keep one module for each kind: v1/ConfigMap, apps/v1/Deployment. */
function modulePath({ apiVersion, kind }: Manifest): string {
  const [group = ''] = apiVersion.split('/');
  return `${packagesOfGroups.get(group) ?? 'kubernetes-models'}/${apiVersion}/${kind}`;
}

/** What the API's schema finds wrong in a document; empty when it is valid. */
export async function schemaFaults(manifest: Manifest): Promise<string[]> {
  const models = (await import(modulePath(manifest))) as Record<string, new (data: unknown) => Model>;
  const Kind = models[manifest.kind];
  if (Kind === undefined) return [`${manifest.apiVersion} has no ${manifest.kind}`];
  try {
    new Kind(manifest).validate();
    return [];
  } catch (error) {
    return (error as Error).message.split('\n');
  }
}

/** For each document, what the compiler says about it as a value of its kind: unknown, misplaced and missing fields. */
export function typeFaults(manifests: readonly Manifest[]): string[][] {
  const fileName = join(import.meta.dirname, 'manifests.virtual.ts');
  const lines = manifests.map((manifest, index) => {
    const type = `import('${modulePath(manifest)}').I${manifest.kind}`;
    return `export const document${String(index)}: ${type} = ${JSON.stringify(manifest)};`;
  });
  const faults: string[][] = manifests.map(() => []);
  for (const { file, start, messageText } of diagnose(fileName, lines.join('\n'))) {
    const line = file?.getLineAndCharacterOfPosition(start ?? 0).line ?? 0;
    faults[line]?.push(ts.flattenDiagnosticMessageText(messageText, '\n'));
  }
  return faults;
}

function diagnose(fileName: string, source: string): readonly ts.Diagnostic[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    lib: ['lib.es2024.d.ts'],
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === fileName || fileExists(name);
  host.getSourceFile = (name, languageVersion) =>
    name === fileName ? ts.createSourceFile(name, source, languageVersion) : getSourceFile(name, languageVersion);
  const program = ts.createProgram([fileName], options, host);
  return program.getSemanticDiagnostics(program.getSourceFile(fileName));
}
