import { describe, expect, it } from 'vitest';
import { HIDDEN, openLog, withoutSecrets } from '../../src/operations/log.js';

const SECRET = 'hunter2';

describe('a log', () => {
  it.each(['json', 'pretty'] as const)('as %s tells no secret, however deep it lies', async (form) => {
    const lines: string[] = [];
    const log = await openLog(form, 'info', (line) => lines.push(line));
    log('warn', `postgres://lab:${SECRET}@db/edgeflex is away, smtp://me:${SECRET}@mail:587 too`, {
      ...{ event: 'away', address: `postgres://lab:${SECRET}@db/edgeflex`, job: { token: SECRET } },
      ...{ list: [{ webhookSecret: SECRET }], headers: { Authorization: SECRET, 'x-api-key': SECRET } },
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toContain(SECRET);
    expect(lines[0]).toContain('postgres://lab@db/edgeflex');
    if (form === 'json')
      expect(JSON.parse(lines[0]!)).toMatchObject({
        ...{ event: 'away', level: 40, job: { token: HIDDEN }, list: [{ webhookSecret: HIDDEN }] },
        headers: { Authorization: HIDDEN, 'x-api-key': HIDDEN },
      });
  });

  it('leaves out what weighs too little, and everything when it is off', async () => {
    const lines: string[] = [];
    for (const [form, level] of [
      ['json', 'warn'],
      ['pretty', 'warn'],
      ['off', 'debug'],
    ] as const) {
      const log = await openLog(form, level, (line) => lines.push(line));
      log('info', 'little');
      log('error', 'much');
    }
    expect(lines).toHaveLength(2);
    expect(lines.join('')).not.toContain('little');
  });

  it('keeps what is no secret, and ends in what refers to itself', () => {
    const facts = { a: 1, b: [true, null], c: { d: 'text' } };
    expect(withoutSecrets(facts)).toEqual(facts);
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(withoutSecrets(circle))).toContain('…');
  });
});
