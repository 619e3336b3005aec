import { describe, expect, it } from 'vitest';
import { Contact } from '../../src/queue/contact.js';

const [LEASE, REST] = [30_000, 10_000];

describe('contact with the server', () => {
  it('that was lost for longer than a rest between signs of life gives others a lease of time', () => {
    const contact = new Contact(LEASE, REST);
    contact.answered(0, 1);
    expect(contact.unanswered(1000)).toBe(true);
    expect(contact.unanswered(2000)).toBe(false);
    expect(contact.isAway).toBe(true);
    expect(contact.answered(20_000)).toBe(true);
    expect(contact.isAway).toBe(false);
    expect(contact.isPatient(20_000 + LEASE - 1)).toBe(true);
    expect(contact.isPatient(20_000 + LEASE)).toBe(false);
    expect(contact.answered(21_000, 1)).toBe(false);
    expect(contact.isPatient(21_000)).toBe(true);
  });

  it('that was lost for a moment changes nothing', () => {
    const contact = new Contact(LEASE, REST);
    contact.answered(0, 1);
    contact.unanswered(1000);
    contact.answered(1000 + REST, 1);
    expect(contact.isPatient(1001 + REST)).toBe(false);
  });

  it.each([
    ['the question that tells of it', [2]],
    ['another one', [undefined, 2]],
  ])(
    'needs no further patience where the server was started anew, when %s is answered first',
    (_, answers) => {
      const contact = new Contact(LEASE, REST);
      contact.answered(0, 1);
      contact.unanswered(1000);
      for (const started of answers) contact.answered(20_000, started);
      expect(contact.isPatient(20_001)).toBe(false);
    },
  );
});
