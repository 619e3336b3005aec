import { describe, expect, it } from 'vitest';
import type { Table } from '../../src/text/table.js';
import { terminalTable } from '../../src/text/terminal.js';

const table: Table = {
  columns: [
    { key: 'name', title: 'variant', align: 'left' },
    { key: 'p90', title: 'p90 ms', align: 'right', spare: 2 },
    { key: 'latency', title: 'latency ms', align: 'right' },
    { key: 'raw', title: 'raw peak', align: 'right', spare: 1 },
  ],
  rows: [{ name: 'fp32', p90: '12.1', latency: '11.0 (10.9–11.2)', raw: '93.0 MiB' }],
  notes: ['A note.'],
};

const widest = (text: string): number =>
  Math.max(
    ...text
      .slice(0, text.indexOf('\n\n'))
      .split('\n')
      .map((line) => line.trimEnd().length),
  );

describe('a table in a terminal', () => {
  it('shows everything where there is room, and where nobody knows the width', () => {
    for (const text of [terminalTable(table, false), terminalTable(table, false, 43)]) {
      for (const { title } of table.columns) expect(text).toContain(title);
      expect(text).not.toContain('Not shown');
    }
  });

  it('leaves out what can be spared most, and says so', () => {
    const narrower = terminalTable(table, false, 42);
    expect(narrower).not.toContain('93.0 MiB');
    expect(narrower).toContain('12.1');
    expect(narrower.replace(/\s+/g, ' ')).toMatch(/Not shown here.*: raw peak\.$/);
    const narrowest = terminalTable(table, false, 30);
    expect(narrowest.replace(/\s+/g, ' ')).toMatch(/Not shown here.*: p90 ms, raw peak\.$/);
    expect(widest(narrowest)).toBeLessThanOrEqual(30);
  });

  it('wraps texts, and shows rows as lists where columns have no room, but loses nothing', () => {
    const wide: Table = {
      columns: [
        { key: 'name', title: 'name', align: 'left' },
        { key: 'count', title: 'count', align: 'right' },
        { key: 'what', title: 'description', align: 'left' },
      ],
      rows: [
        { name: 'one', count: '12', what: `${'some words '.repeat(12)}at the end` },
        { name: 'another', count: '7', what: 'short' },
      ],
      notes: ['word '.repeat(30)],
    };
    for (const width of [100, 60, 40, 24, 12]) {
      const text = terminalTable(wide, false, width);
      for (const line of text.split('\n')) expect(line.trimEnd().length).toBeLessThanOrEqual(width);
      for (const part of ['one', 'another', '12', '7', 'short', 'the end'])
        expect(text.replace(/\s+/g, ' ')).toContain(part);
    }
  });

  it('keeps a column that can be spared where it has room beside wrapped cells', () => {
    const intervals = { name: 'fp32', p90: '12.1', latency: '11.0234567 (10.92–11.21) ⚑', raw: '93.0 MiB' };
    const text = terminalTable({ ...table, rows: [intervals] }, false, 34);
    expect(text).toContain('12.1');
    expect(text.replace(/\s+/g, ' ')).toMatch(/Not shown here.*: raw peak\.$/);
    expect(widest(text)).toBeLessThanOrEqual(34);
  });

  it('never parts a sign from what it marks', () => {
    const flagged = { ...table.rows[0], latency: '11.0 (10.9–11.2) ⚑' };
    const text = terminalTable({ ...table, rows: [flagged] }, false, 28);
    expect(text).toMatch(/\(10\.9–11\.2\) ⚑$/m);
  });

  it('keeps what cannot be spared, however narrow the terminal', () => {
    const text = terminalTable(table, false, 10);
    for (const part of ['fp32', '11.0(10.9–11.2)', 'Anote.'])
      expect(text.replace(/\s+/g, '')).toContain(part);
  });
});
