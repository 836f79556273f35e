import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { TaskPriority } from '#client/tasks';
import { calendar, fixedZone, readWhole, todo, todoistHeader as header, type TaskFile } from './read-whole.ts';

/* Files as other programs write them, or as they arrive. */

const utf16 = (text: string, swap: boolean): Buffer =>
  swap ? Buffer.from(`\ufeff${text}`, 'utf16le').swap16() : Buffer.from(`\ufeff${text}`, 'utf16le');

async function fixture(name: string): Promise<TaskFile> {
  return readWhole(
    name.endsWith('.ics') ? 'ics' : 'todoist',
    readFileSync(new URL(`fixtures/${name}`, import.meta.url)),
  );
}

const dues = ({ tasks }: TaskFile): unknown[] =>
  tasks.map(({ due }) => (due === undefined ? undefined : 'time' in due ? due.time.toISOString() : due.date));
const titles = ({ tasks }: TaskFile): string[] => tasks.map(({ title }) => title);

describe('an iCalendar file', () => {
  it('may be folded inside a character', async () => {
    const file = await fixture('fold-inside-a-character.ics');
    expect(titles(file)).toEqual(['Fold inside a character', 'Second task is innocent']);
    expect(file.tasks[0]?.description).toMatch(/aé and more text$/);
  });

  it.each([
    ['tzid-beside-utc.ics', ['2026-07-15T10:00:00.000Z', '2026-07-15T10:00:00.000Z']],
    ['described-new-york.ics', ['2026-03-08T07:30:00.000Z', '2026-11-01T05:30:00.000Z', '2026-07-15T14:00:00.000Z']],
    ['described-est.ics', ['2026-07-15T14:00:00.000Z']],
    ['prefixed-tzid.ics', ['2026-07-15T08:00:00.000Z', '2026-07-15T08:00:00.000Z']],
    ['date-without-value.ics', ['2026-07-15', undefined]],
  ])('%s has its times', async (name, expected) => {
    const file = await fixture(name);
    expect([dues(file), file.malformed]).toEqual([expected, []]);
  });

  it('with days that do not exist has them named', async () => {
    const { tasks, malformed } = await fixture('impossible-days.ics');
    expect([tasks, malformed.map(({ problem }) => problem)]).toEqual([
      [],
      ['20260231', '20270229', '20260715T106100'].map(
        (value, index) => `DUE "${value}" is a day or a time that does not exist (line ${8 + 6 * index})`,
      ),
    ]);
  });

  it('with double carriage returns, with U+FFFD or with a raw line is read', async () => {
    expect(titles(await fixture('double-carriage-return.ics'))).toEqual(['lost without a word']);
    expect(titles(await fixture('replacement-character.ics'))).toEqual(['Caf\ufffd opens', 'innocent']);
    const raw = await fixture('raw-line-in-description.ics');
    expect([titles(raw), raw.malformed]).toEqual([
      ['innocent'],
      [{ place: ':4: UID u-1', problem: '"second line without a colon" is no line of iCalendar (line 9)' }],
    ]);
  });

  it('may name zones as Windows does, in quotes, with colons', async () => {
    const lines = [
      ...todo('a', 'DUE;TZID="W. Europe Standard Time":20260715T100000'),
      ...todo('b', 'DUE;X-NOTE="a;b:c";TZID="(UTC+05:30) Here":20260715T100000'),
      ...fixedZone('(UTC+05:30) Here', '+0530'),
    ];
    expect(dues(await readWhole('ics', calendar(...lines)))).toEqual([
      '2026-07-15T08:00:00.000Z',
      '2026-07-15T04:30:00.000Z',
    ]);
  });

  it('has what stands in an alarm or an unknown component left out of its task', async () => {
    const alarm = ['BEGIN:VALARM', 'SUMMARY:ring', 'DESCRIPTION:ring', 'DURATION:PT15M', 'no line', 'END:VALARM'];
    const { tasks } = await readWhole(
      'ics',
      calendar(...todo('a', ...alarm, 'BEGIN:X-THING', 'DUE:20260101', 'END:X-THING', 'DESCRIPTION:mine')),
    );
    expect(tasks.map(({ description, due }) => [description, due])).toEqual([['mine', undefined]]);
  });

  it('is told of components that do not end, and of what an entry is taken without', async () => {
    const open = await readWhole(
      'ics',
      calendar(
        'BEGIN:VTODO',
        'UID:a',
        'SUMMARY:x',
        ...todo('b', 'BEGIN:VALARM', 'RRULE:FREQ=DAILY'),
        ...todo('c', 'RRULE:FREQ=DAILY'),
        'END:VEVENT',
      ),
    );
    expect(open.tasks.map(({ externalId }) => externalId)).toEqual(['ics:c']);
    expect(open.malformed).toEqual([
      { place: ':3: UID a', problem: 'VTODO does not end (line 3)' },
      { place: ':6: UID b', problem: 'VALARM of line 9 does not end before VTODO does (line 11)' },
      { place: ':17', problem: 'END:VEVENT ends nothing' },
    ]);
    expect(open.remarks).toEqual([{ place: ':15: UID c', problem: 'is taken once, without its RRULE' }]);
  });

  it('counts days of the calendar and hours that pass in a duration', async () => {
    const start = 'DTSTART;TZID=Europe/Berlin:20260328T120000';
    const { tasks } = await readWhole(
      'ics',
      calendar(
        ...todo('a', start, 'DURATION:P1D'),
        ...todo('b', start, 'DURATION:PT24H'),
        ...todo('c', 'DTSTART;VALUE=DATE:20260328', 'DURATION:P1W'),
      ),
    );
    expect(dues({ tasks, malformed: [], remarks: [] })).toEqual([
      '2026-03-29T10:00:00.000Z',
      '2026-03-29T11:00:00.000Z',
      '2026-04-04',
    ]);
  });

  it.each([
    ['there is more than one DUE', ['DUE:20260101', 'DUE:20260102']],
    ['DUE "20260101T000000" is not a day', ['DUE;VALUE=DATE:20260101T000000']],
    ['is encoded as QUOTED-PRINTABLE', ['DESCRIPTION;ENCODING=QUOTED-PRINTABLE:=C3=A9']],
    ['DURATION "P1X" is not a duration', ['DTSTART:20260101T000000Z', 'DURATION:P1X']],
    ['is too far away', ['DTSTART:20260101T000000Z', 'DURATION:P99999999999D']],
  ])('is told "%s"', async (problem, lines) => {
    const { tasks, malformed } = await readWhole('ics', calendar(...todo('a', ...lines)));
    expect([tasks, malformed]).toEqual([[], [{ place: ':3: UID a', problem: expect.stringContaining(problem) }]]);
  });
});

describe('a Todoist file', () => {
  it('keeps U+FFFD, and takes an empty priority as 1 like Todoist, a missing column as none', async () => {
    expect(titles(await fixture('replacement-character.csv'))).toEqual(['Caf\ufffd opens', 'innocent']);
    expect((await fixture('empty-priority.csv')).tasks[0]?.priority).toBe(TaskPriority.URGENT);
    expect((await readWhole('todoist', 'TYPE,CONTENT\ntask,x')).tasks[0]?.priority).toBe(TaskPriority.MEDIUM);
  });

  it.each([
    ['5 marraskuu 2026', 'fi', '2026-11-05'],
    ['5 marraskuuta 2026', 'fi', '2026-11-05'],
    ['5 listopada 2026', 'pl', '2026-11-05'],
    ['5. Mai 2026', 'de', '2026-05-05'],
    ['5 août 2026', 'fr', '2026-08-05'],
    ['5 de noviembre de 2026', 'es', '2026-11-05'],
    ['5 ноября 2026', 'ru', '2026-11-05'],
    ['2026年11月5日', 'ja', '2026-11-05'],
    ['2026년 11월 5일', 'ko', '2026-11-05'],
    ['5 Sept 2026', 'en', '2026-09-05'],
  ])('reads %s in %s', async (date, language, expected) => {
    expect(dues(await readWhole('todoist', `${header}\ntask,x,,4,1,,,"${date}",${language},UTC`))).toEqual([expected]);
  });

  it.each([
    ['5 mar 2026', 'fi'],
    ['5 marraskuu 2026', 'en'],
    ['5 marraskuu 2026', 'xx'],
    ['5 Octopus 2026', ''],
    ['31 Feb 2026', 'en'],
    ['2026-02-30', 'en'],
  ])('names %s in %s', async (date, language) => {
    const { tasks, malformed } = await readWhole('todoist', `${header}\ntask,x,,4,1,,,"${date}",${language},UTC`);
    expect([tasks, malformed]).toEqual([[], [{ place: ':2', problem: expect.stringContaining(`DATE "`) }]]);
  });

  it('has damaged rows named, and the rest read', async () => {
    const rows = [
      'task,5" pipe,,4',
      'task,"say "hi" you",,4',
      `task,a${',b'.repeat(10)}`,
      ',something',
      'note,of nothing',
      'task,"two\r\nlines",,4',
      'task,both,,4,1,,,2026-01-01,en,UTC',
    ];
    const { tasks, malformed } = await readWhole('todoist', [header, ...rows, ''].join('\n'));
    expect(tasks.map(({ place, title }) => [place, title])).toEqual([
      [':2', '5" pipe'],
      [':7', 'two lines'],
      [':9', 'both'],
    ]);
    expect(malformed.map(({ place, problem }) => [place, problem])).toEqual([
      [':3', 'there is text behind the quote that closes cell 2'],
      [':4', 'there are 12 cells, and 10 columns'],
      [':5', 'TYPE "" is none of task, section, note'],
      [':6', 'is a note without a task before it that could be taken'],
    ]);
  });
});

describe('every format', () => {
  const files = [
    ['ics', calendar(...todo('a', 'DESCRIPTION:é'), ...todo('b'))],
    ['todoist', `${header}\r\ntask,x,é,4\r\ntask,x,,4\r\n`],
    ['todo.txt', 'x é\r\nx\r\n'],
  ] as const;
  it.each(files)(
    '%s is the same by LF, CR and CR CR LF, in UTF-16, with a byte order mark, and one byte at a time',
    async (format, content) => {
      const { tasks } = await readWhole(format, content);
      expect(tasks).toHaveLength(2);
      const variants = [
        content.replaceAll('\r\n', '\n'),
        content.replaceAll('\r\n', '\r'),
        content.replaceAll('\r\n', '\r\r\n'),
        utf16(content, false),
        utf16(content, true),
        `\ufeff${content}`,
      ];
      for (const variant of variants) {
        expect(await readWhole(format, variant, { zone: 'UTC' }, 1)).toEqual({ tasks, malformed: [], remarks: [] });
      }
    },
  );

  it.each(files)('%s has bytes that are not UTF-8 named, and the rest read', async (format, content) => {
    const { tasks, malformed } = await readWhole(format, Buffer.from(content, 'latin1'));
    expect(tasks).toHaveLength(1);
    expect(malformed).toEqual([
      {
        place: expect.stringMatching(/^:[123]\b/),
        problem: expect.stringMatching(/^byte \d+ of (the line|DESCRIPTION) \(0xe9\) is not UTF-8( \(line 6\))?$/),
      },
    ]);
  });

  it.each(files)('%s has a line of three megabytes named', async (format, content) => {
    const long = readWhole(format, content.replace('é', 'e'.repeat(3 * 1024 * 1024)));
    if (format === 'todoist') return expect(long).rejects.toThrow('the record of line 2 is longer than 1048576 bytes');
    const { tasks, malformed } = await long;
    return expect([tasks.length, malformed[0]?.problem]).toEqual([
      1,
      expect.stringContaining('is longer than 1048576 bytes'),
    ]);
  });
});
