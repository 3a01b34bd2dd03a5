import { expect, test } from 'vitest';
import {
  bypassesCache,
  combineMemoryTypes,
  decodeMair,
  decodeShareability,
  decodeStage2MemAttr,
  device,
  DEVICE_NGNRE_MEM_ATTR,
  normal,
  normalMemAttr,
  NORMAL_NC_MEM_ATTR,
  stage1OffType,
  type MemoryType,
  type ReservedMemoryType,
  type Stage2MemAttr,
} from '../../src/arm64/attributes.ts';
import { never } from '../../src/util/never.ts';
import { machine } from './helpers.ts';

/** A type in a few letters: `wb/wb ish`, `nGnRE`, `-` for reserved. Inner before outer. */
function brief(type: MemoryType | ReservedMemoryType): string {
  switch (type.kind) {
    case 'reserved':
      return '-';
    case 'device':
      return type.device;
    case 'normal':
      return `${type.inner}/${type.outer}`;
    default:
      return never(type);
  }
}

function briefMemAttr(asked: Stage2MemAttr): string {
  switch (asked.kind) {
    case 'reserved':
      return '-';
    case 'device':
      return asked.device;
    case 'normal':
      return `${asked.inner}/${asked.outer}`;
    case 'force-wb':
    case 'stage1':
      return asked.kind;
    default:
      return never(asked);
  }
}

const NSH = 0b00;
const OSH = 0b10;
const ISH = 0b11;

test('SH: 0b00 Non-shareable, 0b10 Outer, 0b11 Inner; the reserved value as Non-shareable', () => {
  expect([0b00, 0b01, 0b10, 0b11].map(decodeShareability)).toEqual(['nsh', 'nsh', 'osh', 'ish']);
});

test('MAIR bytes: the ones Linux programs', () => {
  const mair = (attr: number): string => brief(decodeMair(attr, ISH, machine({})));
  expect(mair(0x00)).toBe('nGnRnE');
  expect(mair(0x04)).toBe('nGnRE');
  expect(mair(0x08)).toBe('nGRE');
  expect(mair(0x0c)).toBe('GRE');
  expect(mair(0x44)).toBe('nc/nc');
  expect(mair(0xff)).toBe('wb/wb');
  expect(mair(0xf0)).toBe('wb/wb'); // Tagged
  expect(mair(0xbb)).toBe('wt/wt');
  expect(mair(0x4f)).toBe('wb/nc'); // outer Non-cacheable, inner Write-Back
});

test('MAIR bytes: all 256 by the encoding of each half', () => {
  // Halves: 0000 none, 00RW WT transient, 0100 NC, 01RW WB transient, 10RW WT, 11RW WB.
  const half = '-,wt,wt,wt,nc,wb,wb,wb,wt,wt,wt,wt,wb,wb,wb,wb'.split(',');
  for (let attr = 0x10; attr < 0x100; attr += 1) {
    const [outer, inner] = [half[attr >> 4] ?? '', half[attr & 15] ?? ''];
    const expected = attr === 0xf0 ? 'wb/wb' : inner === '-' ? '-' : `${inner}/${outer}`;
    expect(brief(decodeMair(attr, ISH, machine({})))).toBe(expected);
  }
  // 0000dd00 is Device; everything else with an empty upper half is reserved without FEAT_XS.
  for (let attr = 0; attr < 0x10; attr += 1) {
    expect(decodeMair(attr, ISH, machine({})).kind).toBe((attr & 3) === 0 ? 'device' : 'reserved');
  }
});

test('FEAT_XS adds encodings with XS = 0; Write-Back has XS = 0 by itself', () => {
  const f = machine({ xs: true });
  const xs = (attr: number): string => {
    const type = decodeMair(attr, ISH, f);
    return type.kind === 'reserved' ? '-' : `${brief(type)} ${type.xs ? 1 : 0}`;
  };
  expect(xs(0x00)).toBe('nGnRnE 1');
  expect(xs(0x01)).toBe('nGnRnE 0');
  expect(xs(0x0d)).toBe('GRE 0');
  expect(xs(0x40)).toBe('nc/nc 0');
  expect(xs(0xa0)).toBe('wt/wt 0');
  expect(xs(0x44)).toBe('nc/nc 1');
  expect(xs(0xff)).toBe('wb/wb 0');
  expect(xs(0x4f)).toBe('wb/nc 1');
  expect(xs(0x02)).toBe('-');
});

test('Device and Non-cacheable memory is Outer Shareable whatever SH says', () => {
  for (const sh of [NSH, ISH, OSH]) {
    for (const attr of [0x00, 0x44]) {
      expect(decodeMair(attr, sh, machine({}))).toMatchObject({ shareability: 'osh' });
    }
  }
  expect(decodeMair(0xff, NSH, machine({}))).toMatchObject({ shareability: 'nsh' });
  // Cacheable in one of the two is enough for SH to count.
  expect(decodeMair(0x4f, ISH, machine({}))).toMatchObject({ shareability: 'ish' });
});

test('stage 1 off: Device for data, cacheable or not for fetch, Write-Back under HCR_EL2.DC', () => {
  const off = { dc: false, fetch: false, icacheOn: true };
  expect(brief(stage1OffType(off))).toBe('nGnRnE');
  expect(brief(stage1OffType({ ...off, fetch: true }))).toBe('wt/wt');
  expect(brief(stage1OffType({ ...off, fetch: true, icacheOn: false }))).toBe('nc/nc');
  expect(stage1OffType({ ...off, dc: true })).toEqual(normal('wb', 'wb', 'nsh'));
  expect(stage1OffType({ ...off, fetch: true })).toMatchObject({ shareability: 'osh' });
});

test('stage-2 MemAttr without FWB: outer in [3:2], inner in [1:0], 00 in [3:2] is Device', () => {
  const row = Array.from({ length: 16 }, (_, a) => briefMemAttr(decodeStage2MemAttr(a, false)));
  expect(row.join(' ')).toBe(
    [
      'nGnRnE nGnRE nGRE GRE',
      '- nc/nc wt/nc wb/nc',
      '- nc/wt wt/wt wb/wt',
      '- nc/wb wt/wb wb/wb',
    ].join(' '),
  );
});

test('stage-2 MemAttr with FWB: bit 2 (descriptor bit 4) chooses Device or the new meanings', () => {
  const row = Array.from({ length: 16 }, (_, a) => briefMemAttr(decodeStage2MemAttr(a, true)));
  expect(row.join(' ')).toBe(
    ['nGnRnE nGnRE nGRE GRE', '- nc/nc force-wb stage1', '- - - - - - - -'].join(' '),
  );
});

/** Stage-1 types worth telling apart, by the name used in the tables below. */
const STAGE1: Readonly<Record<string, MemoryType>> = {
  nGnRnE: device('nGnRnE'),
  GRE: device('GRE'),
  'nc/nc': normal('nc', 'nc', 'nsh'),
  'wt/wt': normal('wt', 'wt', 'nsh'),
  'wb/wb': normal('wb', 'wb', 'nsh'),
};

function combined(memAttr: number, fwb: boolean): readonly string[] {
  return Object.values(STAGE1).map((stage1) =>
    brief(combineMemoryTypes(stage1, { memAttr, sh: ISH, fnxs: false }, fwb)),
  );
}

test('both stages without FWB: the stricter wins in every cell', () => {
  // Columns: stage 1 is nGnRnE, GRE, NC, WT, WB.
  expect(combined(0b0000, false)).toEqual(Array(5).fill('nGnRnE'));
  expect(combined(0b0001, false)).toEqual(['nGnRnE', 'nGnRE', 'nGnRE', 'nGnRE', 'nGnRE']);
  expect(combined(0b0010, false)).toEqual(['nGnRnE', 'nGRE', 'nGRE', 'nGRE', 'nGRE']);
  expect(combined(0b0011, false)).toEqual(['nGnRnE', 'GRE', 'GRE', 'GRE', 'GRE']);
  expect(combined(0b0101, false)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'nc/nc', 'nc/nc']);
  expect(combined(0b1010, false)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'wt/wt', 'wt/wt']);
  expect(combined(0b1111, false)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'wt/wt', 'wb/wb']);
  expect(combined(0b0111, false)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'wt/nc', 'wb/nc']);
  expect(combined(0b0100, false)).toEqual(Array(5).fill('-'));
});

test('both stages with FWB: stage 2 decides, and Write-Back beats even stage-1 Device', () => {
  expect(combined(0b0000, true)).toEqual(Array(5).fill('nGnRnE'));
  expect(combined(0b0001, true)).toEqual(['nGnRnE', 'nGnRE', 'nGnRE', 'nGnRE', 'nGnRE']);
  expect(combined(0b0011, true)).toEqual(['nGnRnE', 'GRE', 'GRE', 'GRE', 'GRE']);
  expect(combined(0b0101, true)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'nc/nc', 'nc/nc']);
  expect(combined(0b0110, true)).toEqual(Array(5).fill('wb/wb'));
  expect(combined(0b0111, true)).toEqual(['nGnRnE', 'GRE', 'nc/nc', 'wt/wt', 'wb/wb']);
  expect(combined(0b0100, true)).toEqual(Array(5).fill('-'));
  expect(combined(0b1111, true)).toEqual(Array(5).fill('-'));
});

test('the seed in two lines: a guest with its MMU off goes past the cache, unless FWB', () => {
  const guest = stage1OffType({ dc: false, fetch: false, icacheOn: false });
  const bypasses = (fwb: boolean): boolean => {
    const ram = { memAttr: normalMemAttr(fwb), sh: ISH, fnxs: false };
    const type = combineMemoryTypes(guest, ram, fwb);
    return type.kind !== 'reserved' && bypassesCache(type);
  };
  expect(bypasses(false)).toBe(true);
  expect(bypasses(true)).toBe(false);
});

test('shareability: the wider of the two', () => {
  const sh = (s1: 'nsh' | 'ish' | 'osh', s2: number): string => {
    const type = combineMemoryTypes(
      normal('wb', 'wb', s1),
      { memAttr: 0xf, sh: s2, fnxs: false },
      false,
    );
    return type.kind === 'reserved' ? '-' : type.shareability;
  };
  expect(['nsh', 'ish', 'osh'].map((s1) => sh(s1 as 'nsh', NSH))).toEqual(['nsh', 'ish', 'osh']);
  expect(['nsh', 'ish', 'osh'].map((s1) => sh(s1 as 'nsh', ISH))).toEqual(['ish', 'ish', 'osh']);
  expect(['nsh', 'ish', 'osh'].map((s1) => sh(s1 as 'nsh', OSH))).toEqual(['osh', 'osh', 'osh']);
});

test('FnXS clears XS; forced Write-Back has none', () => {
  const xs = (memAttr: number, fnxs: boolean, fwb: boolean): boolean | string => {
    const type = combineMemoryTypes(device('nGnRE'), { memAttr, sh: NSH, fnxs }, fwb);
    return type.kind === 'reserved' ? '-' : type.xs;
  };
  expect(xs(0xf, false, false)).toBe(true);
  expect(xs(0xf, true, false)).toBe(false);
  expect(xs(0b0110, false, true)).toBe(false);
});

test('only memory that is cacheable in neither part goes past the cache', () => {
  expect(bypassesCache(device('GRE'))).toBe(true);
  expect(bypassesCache(normal('nc', 'nc', 'ish'))).toBe(true);
  expect(bypassesCache(normal('wb', 'nc', 'ish'))).toBe(false);
  expect(bypassesCache(normal('wt', 'wt', 'ish'))).toBe(false);
});

test('the attributes a hypervisor uses mean the same with and without FWB', () => {
  for (const fwb of [false, true]) {
    expect(briefMemAttr(decodeStage2MemAttr(DEVICE_NGNRE_MEM_ATTR, fwb))).toBe('nGnRE');
    expect(briefMemAttr(decodeStage2MemAttr(NORMAL_NC_MEM_ATTR, fwb))).toBe('nc/nc');
  }
});
