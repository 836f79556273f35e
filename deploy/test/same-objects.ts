/** Exits with 1 unless two files hold the same Kubernetes objects, in any order: node same-objects.ts A B */
import { deepStrictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './kubernetes-schema.ts';

const [, , first = '', second = ''] = process.argv;
const objectsOf = (file: string): Record<string, unknown> => {
  const manifests = parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS() as Manifest);
  return Object.fromEntries(manifests.map((manifest) => [`${manifest.kind} ${manifest.metadata.name}`, manifest]));
};
deepStrictEqual(objectsOf(first), objectsOf(second));
