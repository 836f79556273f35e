import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toAsciiDomain, toMailbox } from './mailbox.ts';

describe('toMailbox', () => {
  it.each([
    [
      'ada@münchen.example',
      'ADA@MÜNCHEN.EXAMPLE',
      'ada@xn--mnchen-3ya.example',
      'Ada@XN--MNCHEN-3YA.Example',
      'ada@mu\u0308nchen.example',
    ],
    ['straße@example.com', 'STRASSE@example.com', 'strasse@EXAMPLE.com'],
    ['用户@例子.广告', '用户@xn--fsqu00a.xn--4rr70v'],
    ['a@ｅｘａｍｐｌｅ.com', 'a@example.com'],
    ['a@xn--mgba3gch31f060k.com', 'a@نامه\u200cای.com'],
    ['a@1.2.3.4', 'A@1.2.3.4'],
  ])('takes %s and its like for one', (...spellings) => {
    expect(new Set(spellings.map(toMailbox)).size).toBe(1);
  });

  it.each([
    ['a@straße.de', 'a@strasse.de'],
    ['a.b@example.com', 'ab@example.com'],
    ['a+b@example.com', 'a@example.com'],
    ['a@1.2.3.4', 'a@1.2.3.04'],
    ['a@0x7f.1', 'a@127.0.0.1'],
    ['a@é/x', 'a@é'],
    ['a@é?x', 'a@é'],
  ])('tells %s and %s apart', (one, other) => {
    expect(toMailbox(one)).not.toBe(toMailbox(other));
  });

  it('leaves what is in lower case and ASCII as it is', () => {
    fc.assert(
      fc.property(
        fc.emailAddress(),
        (email) => fc.pre(!email.includes('xn--')) ?? toMailbox(email.toLowerCase()) === email.toLowerCase(),
      ),
    );
  });

  it('is the same when it is applied again, whatever it is applied to', () => {
    const part = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.domain(),
      fc.constantFrom('xn--mnchen-3ya.de', 'münchen.de', 'xn--', 'xn--a.b', '例子。广告', 'ΟΔΟΣ.gr'),
    );
    fc.assert(
      fc.property(part, part, (local, domain) => {
        const mailbox = toMailbox(`${local}@${domain}`);
        expect(toMailbox(mailbox)).toBe(mailbox);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('toAsciiDomain', () => {
  it.each([
    ['Example.COM', 'example.com'],
    ['münchen.example', 'xn--mnchen-3ya.example'],
    ['xn--mnchen-3ya.example', 'xn--mnchen-3ya.example'],
    ['straße.de', 'xn--strae-oqa.de'],
  ])('writes %s as %s', (domain, ascii) => {
    expect(toAsciiDomain(domain)).toBe(ascii);
  });

  it.each(['', 'é/x', 'é:80', 'a b', 'é.123'])('refuses %j', (domain) => {
    expect(toAsciiDomain(domain)).toBeUndefined();
  });
});
