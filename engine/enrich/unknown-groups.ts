/** The primary groups of people of whom too little was read: which groups may be meant, and so cannot be called whole. */

const REASON = 'Somebody whose primary group could not be read may be a member.';

export class UnknownGroups {
  readonly #sids = new Set<string>();
  readonly #domains = new Set<string>();
  readonly #tokens = new Set<string>();
  #isAny = false;

  /** What is known of one person's group: the domain's SID, and the group's last part of its SID; null is not known. */
  note(domain: string | null, token: string | null): void {
    if (domain !== null && token !== null) this.#sids.add(`${domain}-${token}`);
    else if (domain !== null) this.#domains.add(domain);
    else if (token !== null) this.#tokens.add(token);
    else this.#isAny = true;
  }

  /** Why the group with this SID may be one of them; null where it is none. */
  reasonFor(sid: string): string | null {
    const end = sid.lastIndexOf('-');
    const isMeant =
      this.#isAny ||
      this.#sids.has(sid) ||
      this.#domains.has(sid.slice(0, end)) ||
      this.#tokens.has(sid.slice(end + 1));
    return isMeant ? REASON : null;
  }
}
