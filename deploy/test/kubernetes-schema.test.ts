import { describe, expect, it } from '@jest/globals';
import type { Workload } from './kubernetes-kinds.ts';
import { schemaFaults, typeFaults, type Manifest } from './kubernetes-schema.ts';
import { nameOf, ofKind, renderings, renderOverlays } from './render.ts';

const rendered = renderOverlays();
const everything = renderings.flatMap((overlay) => rendered[overlay]);

/** Values that are maps from names of one's own choice: there is no unknown field in them. */
const freeMaps = /\.(labels|matchLabels|annotations|data|requests|limits)$|^Service\.spec\.selector$/;

/** Every copy of the value in which one object has a field that Kubernetes does not know. */
function* withUnknownField(value: unknown, path: string): Generator<{ path: string; value: unknown }> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value) && !freeMaps.test(path)) yield { path, value: { ...value, unknownField: 'x' } };
  for (const [key, child] of Object.entries(value)) {
    for (const changed of withUnknownField(child, Array.isArray(value) ? path : `${path}.${key}`)) {
      yield {
        path: changed.path,
        value: Array.isArray(value) ? value.with(Number(key), changed.value) : { ...value, [key]: changed.value },
      };
    }
  }
}

describe.each(renderings)('the overlay %s', (overlay) => {
  it('names every object once, all in its own namespace', () => {
    const names = rendered[overlay].map(nameOf);
    expect(new Set(names).size).toBe(names.length);
    const namespace = ofKind(rendered[overlay === 'production/provision' ? 'production' : overlay], 'Namespace').map(
      ({ metadata }) => metadata.name,
    );
    const namespaces = rendered[overlay]
      .filter(({ kind }) => kind !== 'Namespace')
      .map(({ metadata }) => metadata.namespace);
    expect([...new Set(namespaces)]).toEqual(namespace);
  });

  it.each(rendered[overlay].map((manifest) => [nameOf(manifest), manifest] as const))(
    '%s is valid by the schema of the API',
    async (_, manifest) => {
      expect(await schemaFaults(manifest)).toEqual([]);
    },
  );

  it('has no field that the API does not know', () => {
    expect(typeFaults(rendered[overlay])).toEqual(rendered[overlay].map(() => []));
  });
});

describe('the check of the manifests', () => {
  it('refuses an unknown field wherever it stands', () => {
    const kinds = [...new Map(everything.map((manifest) => [manifest.kind, manifest])).values()];
    const changed = kinds.flatMap((manifest) => [...withUnknownField(manifest, manifest.kind)]);
    const faults = typeFaults(changed.map(({ value }) => value as Manifest));
    expect(
      changed
        .filter((_, index) => !faults[index]?.some((fault) => fault.includes('unknownField')))
        .map(({ path }) => path),
    ).toEqual([]);
    expect(changed.length).toBeGreaterThan(50);
  });

  it('refuses a value of another type, an unknown kind and a missing field', async () => {
    const [job] = ofKind<Workload>(everything, 'Job');
    expect(
      await schemaFaults({ ...job, spec: { ...job?.spec, backoffLimit: 1.5 } } as unknown as Manifest),
    ).not.toEqual([]);
    expect(await schemaFaults({ ...job, spec: {} } as Manifest)).not.toEqual([]);
    await expect(schemaFaults({ ...job, kind: 'Jobs' } as Manifest)).rejects.toThrow();
  });
});
