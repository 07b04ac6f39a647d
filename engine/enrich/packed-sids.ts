import { PackedNumbers } from './packed-numbers.js';

const DIGITS = /^[1-9]\d{0,9}$/;
const LARGEST = 0xffffffff;

/** A list of SIDs in 8 bytes each: all of a domain begin alike. */
export class PackedSids {
  /** What stands before the last part, and the SIDs that have none of 32 bits: the number of each, and the texts by number. */
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];
  /** Counted from 1; 0: there is none. */
  readonly #beginnings = new PackedNumbers();
  readonly #ends = new PackedNumbers();

  add(sid: string | null): void {
    const dash = sid === null ? -1 : sid.lastIndexOf('-');
    const end = sid === null ? '' : sid.slice(dash + 1);
    const isUsual = DIGITS.test(end) && Number(end) <= LARGEST;
    const beginning = sid === null ? 0 : this.#numberOf(isUsual ? sid.slice(0, dash + 1) : sid);
    this.#beginnings.add(beginning);
    this.#ends.add(isUsual ? Number(end) : 0);
  }

  at(place: number): string | null {
    const beginning = this.#texts[this.#beginnings.at(place) - 1];
    const end = this.#ends.at(place);
    if (beginning === undefined) return null;
    return end === 0 ? beginning : `${beginning}${String(end)}`;
  }

  #numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#texts.push(text);
    this.#numbers.set(text, number);
    return number;
  }
}
