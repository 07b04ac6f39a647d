/**
 * Who is who among twins, and whether they are enabled, by the words of docs/messages.md on plain lists, without the engine: a
 * mailbox and the account whose SID it names are one person, unless each has an address that is not the other's.
 */

interface Account {
  readonly id: string;
  readonly sid: string | null;
  readonly primary: string | null;
  readonly aliases: readonly string[];
  readonly enabled: boolean;
  readonly masterSid?: string;
  readonly linked?: boolean;
}

interface Line {
  address: string;
  aliases: string[];
  enabled: boolean;
}

/** Users by address, and who is in which group. `groups`: ids by the group's name. */
export function twinsMerged(
  accounts: readonly Account[],
  groups: Readonly<Record<string, readonly string[]>>,
): { users: Line[]; groups: Record<string, string[]> } {
  const personOf = new Map(accounts.map((one) => [one.id, one]));
  const state = new Map(accounts.map((one) => [one.id, one.enabled]));
  for (const mailbox of accounts) {
    const account = accounts.find(({ sid }) => sid !== null && sid === mailbox.masterSid);
    if (account === undefined) continue;
    const enabled = mailbox.linked === true ? account.enabled : mailbox.enabled || account.enabled;
    state.set(mailbox.id, enabled);
    state.set(account.id, enabled);
    if (mailbox.primary === null) personOf.set(mailbox.id, account);
    else if (account.primary === null || [mailbox.primary, ...mailbox.aliases].includes(account.primary)) {
      personOf.set(account.id, mailbox);
    }
  }
  const persons = [...new Set(personOf.values())].filter(({ primary }) => primary !== null);
  const taken = new Set(persons.map(({ primary }) => primary));
  const users = persons.map(({ id, primary, aliases }) => ({
    address: primary ?? '',
    aliases: aliases.filter((alias) => !taken.has(alias)).sort(),
    enabled: state.get(id) ?? true,
  }));
  const inGroups = Object.entries(groups).flatMap(([name, ids]) => {
    const inside = ids.flatMap((id) => personOf.get(id) ?? []).filter(({ primary }) => primary !== null);
    return inside.length === 0 ? [] : [[name, inside.map(({ primary }) => `user:${primary ?? ''}`).sort()] as const];
  });
  return {
    users: users.sort((one, other) => (one.address < other.address ? -1 : 1)),
    groups: Object.fromEntries(inGroups),
  };
}
