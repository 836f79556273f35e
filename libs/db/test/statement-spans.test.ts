import { describe, expect, it } from '@jest/globals';
import { summarize } from '../src/statement-spans.ts';

describe('what a span says of a statement', () => {
  const cases: [string, string][] = [
    [`insert into "tasks" ("id", "title") values ('1', 'from "secret"')`, 'INSERT tasks'],
    [`update "tasks" set "title" = 'x' where "id" = '1'`, 'UPDATE tasks'],
    [`delete from sessions where id = '1'`, 'DELETE sessions'],
    [`select "t0".* from "tasks" as "t0" where "t0"."title" = 'x'`, 'SELECT tasks'],
    [`select 'from "secret"' as a, b from tasks`, 'SELECT'],
    [`select set_config('from secret', $1, true)`, 'SELECT'],
    [
      '\n  with change as (select * from unnest($1::uuid[]) as t (id)), head as (insert into heads select 1) select 1',
      'INSERT heads',
    ],
    [`with a as (select 'insert into secret') select 1`, 'WITH'],
    ['with settled as (\n update notifications set state = $2) select 1', 'UPDATE notifications'],
    [`commit`, 'COMMIT'],
    [`explain select 'secret'`, 'SQL'],
  ];
  for (const [text, summary] of cases) {
    it(`is ${summary} for: ${text.trim()}`, () => {
      expect(summarize(text)).toMatchObject({ name: summary, attributes: { 'db.query.summary': summary } });
    });
  }

  it('is the name of a prepared statement', () => {
    expect(summarize({ name: 'task_states', text: 'select id from tasks where id = any ($1)' })).toEqual({
      name: 'task_states',
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'SELECT',
        'db.query.summary': 'SELECT tasks',
        'db.collection.name': 'tasks',
      },
    });
  });
});
