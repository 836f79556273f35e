import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { policies } from '#libs/contract';

type Tree = Record<string, unknown>;

const text = readFileSync(new URL('../../../proto/docs/openapi.json', import.meta.url), 'utf8');
const read = (): Tree => JSON.parse(text) as Tree;
const { paths, components } = read() as { paths: Record<string, Tree>; components: Record<string, Tree> };

/** Every value of a key, wherever it stands. */
function valuesOf(tree: unknown, key: string): unknown[] {
  if (Array.isArray(tree)) return tree.flatMap((each) => valuesOf(each, key));
  if (typeof tree !== 'object' || tree === null) return [];
  return Object.entries(tree).flatMap(([name, value]) => (name === key ? [value] : valuesOf(value, key)));
}

describe('G9: the OpenAPI document', () => {
  it('is one of OpenAPI 3.1', async () => {
    expect(await new Validator().validate(read())).toEqual({ valid: true });
  });

  it('has a path for each method but those between services', () => {
    const methods = [...policies.values()].filter(({ service }) => !service.split('.').at(-1)?.startsWith('Internal'));
    const expected = methods.map(({ service, path }) =>
      /^taskflow\.(server|resilience|audit|export)\./.test(service) ? `/{server}${path}` : path,
    );
    expect(Object.keys(paths).toSorted()).toEqual(expected.toSorted());
  });

  it('says which servers may be asked for what every server has', () => {
    const asked = paths['/{server}/taskflow.server.v1.ServerInfoService/GetServerInfo'];
    expect(asked?.parameters).toEqual([{ $ref: '#/components/parameters/Server' }]);
    expect(components.parameters?.Server).toMatchObject({
      in: 'path',
      schema: { enum: ['auth', 'users', 'tasks', 'scheduler'] },
    });
  });

  it('refers to what is there, and has nothing that nobody refers to', () => {
    const places = new Set(valuesOf(read(), '$ref') as string[]);
    const kinds = ['schemas', 'parameters', 'responses'];
    const there = kinds.flatMap((kind) =>
      Object.keys(components[kind] ?? {}).map((name) => `#/components/${kind}/${name}`),
    );
    expect([...places].filter((place) => !there.includes(place))).toEqual([]);
    expect(there.filter((place) => !places.has(place) && !place.endsWith('/Encoding'))).toEqual([]);
  });

  it('says who may call a method, and what a client may get for an answer', () => {
    expect(paths['/taskflow.tasks.v1.TasksService/CreateTask']?.post).toMatchObject({
      security: [{ accessToken: [] }, { personalToken: [] }],
      'x-taskflow-scope': 'tasks:write',
      'x-taskflow-deadline': '10s',
      responses: {
        409: { description: expect.stringContaining('`ALREADY_EXISTS` / `EXTERNAL_ID_TAKEN`') as unknown as string },
      },
    });
    expect(paths['/taskflow.auth.v1.AuthService/Login']?.post).toMatchObject({ security: [] });
    expect(paths['/taskflow.auth.v1.AuthService/ChangePassword']?.post).toMatchObject({
      security: [{ accessToken: [] }],
    });
  });
});
