import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { serviceNames } from '#dev/cluster';
import type { Certificate, DataManifest, ServiceManifest } from './kubernetes-kinds.ts';
import { schemaFaults, typeFaults, type Manifest } from './kubernetes-schema.ts';
import { canRender, findOne, ofKind, renderFolder, renderOverlays } from './render.ts';

const deploy = join(import.meta.dirname, '..');
const page = readFileSync(join(deploy, 'tls.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = '']) => text);
const itRenders = canRender ? it : it.skip;

/** The installation with the component and what the page adds to an overlay. */
function renderStep(block: string): Manifest[] {
  const copy = mkdtempSync(join(tmpdir(), 'taskflow-tls-'));
  try {
    for (const name of ['kubernetes', 'observability'])
      cpSync(join(deploy, name), join(copy, name), { recursive: true });
    const overlay = join(copy, 'kubernetes/overlays/mine');
    mkdirSync(overlay);
    const head = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: taskflow\n';
    writeFileSync(join(overlay, 'kustomization.yaml'), `${head}resources: [../production]\n${block}`);
    return renderFolder(overlay);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

describe('deploy/tls.md', () => {
  itRenders('lets an overlay choose the mode, over that of the component', () => {
    const config = ofKind<DataManifest>(renderStep(blocks[0] ?? ''), 'ConfigMap').find(
      ({ data }) => data['TASKFLOW_ENV'] !== undefined,
    );
    expect(config?.data['TASKFLOW_TLS']).toBe('offered');
  });

  it('shows a policy for the gateway that the API takes, by a name of the certificate', async () => {
    const policy = parse(blocks[1] ?? '') as Manifest & {
      spec: { targetRefs: { name: string }[]; validation: { hostname: string } };
    };
    expect([await schemaFaults(policy), typeFaults([policy])]).toEqual([[], [[]]]);
    const manifests = renderOverlays()['production-tls'];
    for (const { name } of policy.spec.targetRefs) {
      expect(findOne<ServiceManifest>(manifests, 'Service', name)).toBeDefined();
      const certificate = findOne<Certificate>(manifests, 'Certificate', name)?.spec;
      expect(certificate?.dnsNames).toContain(policy.spec.validation.hostname);
    }
  });

  it('names every mode of the setting, in the order of its steps', async () => {
    const { tlsModes } = await import('../../libs/runtime/src/tls/tls-mode.ts');
    expect([...page.matchAll(/^\| `(\w+)` \| (?:plaintext|TLS)/gm)].map(([, mode]) => mode)).toEqual(tlsModes);
    expect(serviceNames.every((name) => page.includes(`\`${name}\``))).toBe(true);
  });
});
