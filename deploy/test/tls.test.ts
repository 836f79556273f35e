import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { processNames, serviceNames } from '#dev/cluster';
import { tlsModes } from '../../libs/runtime/src/tls/tls-mode.ts';
import { findTlsFaults, readTlsSettings } from '../../libs/runtime/src/tls/tls-settings.ts';
import type { Certificate, DataManifest, ServiceManifest } from './kubernetes-kinds.ts';
import { schemaFaults, typeFaults, type Manifest } from './kubernetes-schema.ts';
import { canRender, findOne, ofKind, renderFolder, renderOverlays } from './render.ts';

const deploy = join(import.meta.dirname, '..');
const page = readFileSync(join(deploy, 'tls.md'), 'utf8');
const blocks = [...page.matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = '']) => text);
interface ComposeService {
  environment: Record<string, string>;
  volumes: string[];
}

/** To give files away takes root. */
const withoutOwner = (options: string[]): string[] => {
  const at = options.indexOf('--owner');
  return at < 0 ? options : options.toSpliced(at, 2);
};

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

  it('makes certificates by its commands, where Compose mounts them for each service and the gateway', () => {
    const commands = [...page.matchAll(/^npm run certificates -- (.+)$/gm)].map(([, line = '']) => line.split(' '));
    expect(commands).toHaveLength(2);
    const folder = mkdtempSync(join(tmpdir(), 'taskflow-certificates-'));
    for (const [, ...options] of commands)
      execFileSync(process.execPath, [join(deploy, 'certificates.ts'), folder, ...withoutOwner(options)]);
    const text = readFileSync(join(deploy, 'compose-tls.yml'), 'utf8').replaceAll(/\$\{\w+:-([^}]*)\}/g, '$1');
    const { services } = parse(text, { merge: true }) as Record<'services', Record<string, ComposeService>>;
    expect(Object.keys(services).sort()).toEqual([...processNames].sort());
    for (const [name, { environment, volumes }] of Object.entries(services)) {
      // The folder of the second command, which has all that the settings name.
      expect(volumes).toEqual([`./${commands[1]?.[0]}/${name}:/run/taskflow-tls:ro`]);
      const env = Object.entries(environment).map(([setting, value]) => [
        setting,
        value.replace('/run/taskflow-tls', join(folder, name)),
      ]);
      expect(findTlsFaults(readTlsSettings(Object.fromEntries(env)), name)).toEqual([]);
    }
    rmSync(folder, { recursive: true });
  });

  it('names every mode of the setting, in the order of its steps', () => {
    expect([...page.matchAll(/^\| `(\w+)` \| (?:plaintext|TLS)/gm)].map(([, mode]) => mode)).toEqual(tlsModes);
    expect(serviceNames.every((name) => page.includes(`\`${name}\``))).toBe(true);
  });
});
