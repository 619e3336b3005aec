/** What a pickle says, with nothing of it done: a call that it asks for is kept as what was to be called, and with what. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | readonly Pickled[]
  | PickledDict
  | { readonly kind: 'global'; readonly name: string }
  | PickledCall
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'stored'; readonly id: Pickled }
  | { readonly kind: 'opaque' };

/** What a pickle asks to be called. */
export interface PickledCall {
  readonly kind: 'call';
  readonly of: Pickled;
  readonly with: Pickled;
  /** What the object that this makes is to be told then. */
  state?: Pickled;
}

/** A dictionary, whose keys may be anything: those that are texts are kept. */
export interface PickledDict {
  readonly kind: 'dict';
  readonly entries: Map<string, Pickled>;
}

/** Beyond this many values a pickle is no list of tensors or labels. */
const MAX_VALUES = 2_000_000;

/** What a pickle says that is refused. */
export class UnpickleError extends Error {}

const mark = Symbol('mark');

/**
 * Reads a pickle (protocols 2 to 5) without running anything: the classes and functions that it names are kept as names, and what it
 * asks to be called as the call that it is.
 *
 * @param bytes - the pickle
 * @param mayName - which classes and functions it may name; left out, any
 * @returns what it says
 * @throws UnpickleError at an instruction that is not understood or a name that may not be there, or when it ends too early
 */
export function unpickle(bytes: Uint8Array, mayName?: (name: string) => boolean): Pickled {
  return unpickleFrom(bytes, 0, { mayName }).value;
}

/** What is asked of a pickle besides what it says. */
export interface UnpickleOptions {
  /** Which classes and functions it may name; left out, any. */
  readonly mayName?: ((name: string) => boolean) | undefined;
  /** Is told the id of each object that it says is stored elsewhere, whether or not that is part of the value. */
  readonly stored?: (id: Pickled) => void;
}

/**
 * Reads one of several pickles that follow each other, as `unpickle` does.
 *
 * @param bytes - of the file
 * @param from - where the pickle begins
 * @param options - what is asked of it
 * @returns what it says, and where it ends
 * @throws UnpickleError as `unpickle`
 */
export function unpickleFrom(
  bytes: Uint8Array,
  from: number,
  { mayName = () => true, stored }: UnpickleOptions,
): { readonly value: Pickled; readonly end: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stack: (Pickled | typeof mark)[] = [];
  const memo = new Map<number, Pickled>();
  let at = from;
  let values = 0;

  const take = (count: number): number => {
    const from = at;
    if (!Number.isSafeInteger(count) || count < 0 || from + count > bytes.length)
      throw new UnpickleError(`it ends within an instruction, at byte ${from}`);
    at += count;
    return from;
  };
  const text = (count: number): string => {
    const from = take(count);
    return new TextDecoder().decode(bytes.subarray(from, from + count));
  };
  const raw = (count: number): Pickled => {
    const from = take(count);
    return { kind: 'bytes', bytes: bytes.subarray(from, from + count) };
  };
  const named = (name: string): Pickled => {
    if (!mayName(name)) throw new UnpickleError(`the name ${name}, at byte ${at}`);
    return { kind: 'global', name };
  };
  const line = (): string => {
    const end = bytes.indexOf(0x0a, at);
    if (end < 0) throw new UnpickleError(`it ends within a name, at byte ${at}`);
    const found = text(end - at);
    at = end + 1;
    return found;
  };
  const push = (value: Pickled | typeof mark): void => {
    if (++values > MAX_VALUES) throw new UnpickleError(`more than ${MAX_VALUES} values`);
    stack.push(value);
  };
  const pop = (): Pickled => {
    const value = stack.pop();
    if (value === undefined || value === mark) throw new UnpickleError(`nothing to take, at byte ${at}`);
    return value;
  };
  const top = (): Pickled => {
    const value = pop();
    stack.push(value);
    return value;
  };
  const sinceMark = (): Pickled[] => {
    const from = stack.lastIndexOf(mark);
    if (from < 0) throw new UnpickleError(`no beginning of a list, at byte ${at}`);
    return stack.splice(from).slice(1) as Pickled[];
  };
  const tuple = (count: number): void => {
    const items = Array.from({ length: count }, pop);
    push(items.reverse());
  };
  const put = (into: Pickled, items: readonly Pickled[]): void => {
    const dict = asDict(into);
    // Of objects that are no dictionaries nothing is wanted.
    if (dict === undefined) return;
    for (let i = 0; i + 1 < items.length; i += 2) {
      const [key, value] = [items[i], items[i + 1]];
      const name = key !== undefined && isKind(key, 'bytes') ? new TextDecoder().decode(key.bytes) : key;
      if (typeof name === 'string' && value !== undefined) dict.entries.set(name, value);
    }
  };
  const append = (into: Pickled, items: readonly Pickled[]): void => {
    // One by one: more than some ten thousand are no arguments of a call.
    if (Array.isArray(into)) for (const item of items) (into as Pickled[]).push(item);
  };
  const recall = (index: number): void => {
    const known = memo.get(index);
    if (known === undefined) throw new UnpickleError(`value ${index}, which it has not made, at byte ${at}`);
    push(known);
  };

  for (;;) {
    const code = bytes[take(1)];
    switch (code) {
      case 0x80: // PROTO
        take(1);
        break;
      case 0x95: // FRAME
        take(8);
        break;
      case 0x2e: // STOP
        return { value: pop(), end: at };
      case 0x28: // MARK
        push(mark);
        break;
      case 0x30: // POP
        pop();
        break;
      case 0x4e: // NONE
        push(null);
        break;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        push(code === 0x88);
        break;
      case 0x4a: // BININT
        push(view.getInt32(take(4), true));
        break;
      case 0x4b: // BININT1
        push(view.getUint8(take(1)));
        break;
      case 0x4d: // BININT2
        push(view.getUint16(take(2), true));
        break;
      case 0x8a: // LONG1
        push(longAt(view, bytes, take));
        break;
      case 0x47: // BINFLOAT
        push(view.getFloat64(take(8)));
        break;
      case 0x58: // BINUNICODE
        push(text(view.getUint32(take(4), true)));
        break;
      case 0x8c: // SHORT_BINUNICODE
        push(text(view.getUint8(take(1))));
        break;
      case 0x8d: // BINUNICODE8
        push(text(Number(view.getBigUint64(take(8), true))));
        break;
      case 0x55: // SHORT_BINSTRING
        push(text(view.getUint8(take(1))));
        break;
      case 0x43: // SHORT_BINBYTES
        push(raw(view.getUint8(take(1))));
        break;
      case 0x54: // BINSTRING
      case 0x42: // BINBYTES
        push(raw(view.getUint32(take(4), true)));
        break;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        push(raw(Number(view.getBigUint64(take(8), true))));
        break;
      case 0x7d: // EMPTY_DICT
        push({ kind: 'dict', entries: new Map() });
        break;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        push([]);
        break;
      case 0x8f: // EMPTY_SET
        push({ kind: 'opaque' });
        break;
      case 0x74: // TUPLE
        push(sinceMark());
        break;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        tuple(code - 0x84);
        break;
      case 0x71: // BINPUT
        memo.set(view.getUint8(take(1)), top());
        break;
      case 0x72: // LONG_BINPUT
        memo.set(view.getUint32(take(4), true), top());
        break;
      case 0x94: // MEMOIZE
        memo.set(memo.size, top());
        break;
      case 0x68: // BINGET
        recall(view.getUint8(take(1)));
        break;
      case 0x6a: // LONG_BINGET
        recall(view.getUint32(take(4), true));
        break;
      case 0x63: // GLOBAL
        push(named(`${line()}.${line()}`));
        break;
      case 0x93: {
        // STACK_GLOBAL
        const [name, module] = [pop(), pop()];
        if (typeof module !== 'string' || typeof name !== 'string')
          throw new UnpickleError(`a class without a name, at byte ${at}`);
        push(named(`${module}.${name}`));
        break;
      }
      case 0x51: {
        // BINPERSID
        const id = pop();
        stored?.(id);
        push({ kind: 'stored', id });
        break;
      }
      case 0x52: // REDUCE
      case 0x81: {
        // NEWOBJ
        const [args, of] = [pop(), pop()];
        push(called(of, args));
        break;
      }
      case 0x62: {
        // BUILD
        const [state, object] = [pop(), top()];
        if (isKind(object, 'call')) object.state = state;
        break;
      }
      case 0x73: {
        // SETITEM
        const [value, key] = [pop(), pop()];
        put(top(), [key, value]);
        break;
      }
      case 0x75: {
        // SETITEMS
        const items = sinceMark();
        put(top(), items);
        break;
      }
      case 0x61: {
        // APPEND
        const item = pop();
        append(top(), [item]);
        break;
      }
      case 0x65: // APPENDS
      case 0x90: {
        // ADDITEMS
        const items = sinceMark();
        append(top(), items);
        break;
      }
      default:
        throw new UnpickleError(`the instruction ${code ?? 'none'} at byte ${at - 1}`);
    }
  }
}

/** A dictionary's own class makes one; every other call is kept as it stands. */
function called(of: Pickled, args: Pickled): Pickled {
  const name = isKind(of, 'global') ? of.name : '';
  if (name === 'collections.OrderedDict' || name === 'collections.defaultdict')
    return { kind: 'dict', entries: new Map() };
  return { kind: 'call', of, with: args };
}

/**
 * A value as a dictionary.
 *
 * @returns undefined when it is none
 */
export function asDict(value: Pickled | undefined): PickledDict | undefined {
  return value !== undefined && isKind(value, 'dict') ? value : undefined;
}

/** Whether a value is of a kind. */
export function isKind<Kind extends 'global' | 'call' | 'stored' | 'dict' | 'bytes'>(
  value: Pickled,
  kind: Kind,
): value is Extract<Pickled, { readonly kind: Kind }> {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}

/** A whole number of up to eight bytes, little-endian, in two's complement. */
function longAt(view: DataView, bytes: Uint8Array, take: (count: number) => number): number {
  const count = view.getUint8(take(1));
  const from = take(count);
  if (count > 8) throw new UnpickleError(`a number of ${count} bytes at byte ${from}`);
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[from + i] ?? 0);
  return Number(BigInt.asIntN(8 * count, value));
}
