import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { password, startCliCluster, type CliCluster } from './start-cli.ts';

interface Shown {
  id: string;
  key?: string;
  title?: string;
}

describe('projects on the command line', () => {
  let cli: CliCluster;
  const bob = { env: { TASKFLOW_PROFILE: 'bob', TASKFLOW_PASSWORD: password } };
  beforeAll(async () => {
    cli = await startCliCluster();
    await cli.run(['register', 'ada@example.com', '--name', 'Ada']);
    await cli.run(['profile', 'set', 'bob']);
    expect(await cli.run(['register', 'bob@example.com', '--name', 'Bob'], bob)).toMatchObject({ code: 0 });
  });
  afterAll(() => cli?.stop());

  const newProject = async (key: string): Promise<string> =>
    (await cli.json<{ project: Shown }>('project', 'create', key, `About ${key}`)).project.id;
  const keysOf = async (...args: string[]) =>
    ((await cli.json<{ tasks?: Shown[] }>('ls', ...args)).tasks ?? []).map(({ key = '' }) => key);

  it('moves tasks into a project, between two and out of it', async () => {
    const ids = [await newProject('MVA'), await newProject('MVB')];
    const task = await cli.addTask('To be moved');
    const inside = await cli.addTask('Made there', '--project', 'MVA');

    expect(await cli.run(['mv', task, '--project', 'mva'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('moved to MVA-2: '),
    });
    expect(await keysOf('--project', ids[0] ?? '', '--order', 'hand')).toEqual(['MVA-1', 'MVA-2']);
    expect(await cli.run(['mv', task, inside, '--project', 'MVB', '--json'])).toMatchObject({ code: 0 });
    expect(await keysOf('--project', 'MVB', '--order', 'hand')).toEqual(['MVB-1', 'MVB-2']);
    expect(await cli.run(['mv', task, '--out'])).toMatchObject({ code: 0, output: expect.stringContaining(task) });
    expect(await keysOf('--project', 'MVB')).toEqual(['MVB-2']);
  });

  it('refuses a move to nowhere, and a project that is not there or that two have the key of', async () => {
    const task = await cli.addTask('Stays');
    await newProject('TWIN');
    await newProject('TWIN');

    expect(await cli.run(['mv', task])).toMatchObject({
      code: 64,
      errors: expect.stringContaining('--project or --out'),
    });
    expect(await cli.run(['mv', task, '--project', 'cafe'])).toMatchObject({ code: 5 });
    expect(await cli.run(['mv', task, '--project', 'TWIN'])).toMatchObject({
      code: 64,
      errors: expect.stringContaining('the key of 2 projects'),
    });
  });

  it('shows its members, says whom it cannot add, and does not let the last manager go', async () => {
    const projectId = await newProject('TEAM');
    expect(await cli.run(['project', 'add', 'TEAM', 'bob@example.com', '--role', 'editor'])).toMatchObject({
      code: 9,
      errors: expect.stringContaining('PERSON_NOT_FOUND'),
    });
    expect(await cli.run(['project', 'ls'])).toMatchObject({ code: 0, output: expect.stringContaining('TEAM') });
    expect(await cli.run(['project', 'members', projectId])).toMatchObject({
      code: 0,
      output: expect.stringMatching(/Ada +manager/),
    });
    expect(await cli.run(['project', 'leave', 'TEAM'])).toMatchObject({
      code: 9,
      errors: expect.stringContaining('LAST_MANAGER'),
    });
  });

  it('archives, opens, deletes and brings a project back', async () => {
    await newProject('LIFE');
    const outcomes: string[] = [];
    for (const what of ['archive', 'unarchive', 'rm', 'restore'])
      outcomes.push((await cli.run(['project', what, 'LIFE'])).output.split(' ')[0] ?? '');
    expect(outcomes).toEqual(['archived', 'opened', 'deleted', 'restored']);
    expect(await cli.json('project', 'ls')).toMatchObject({
      projects: expect.arrayContaining([expect.objectContaining({ key: 'LIFE' })]),
    });
  });
});
