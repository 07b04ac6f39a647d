/**
 * Named points of a sync, each before or behind a statement that its databases are given: those of the account, and those of
 * the receiver where there is one. A statement is known by words that stand in it.
 */
export interface Point {
  readonly name: string;
  readonly statement: string;
  readonly when: 'before' | 'behind';
  /** Of the receiver's spool: reached in Node-RED only. */
  readonly receiver?: true;
  /** Reached when the account is opened only. */
  readonly opening?: true;
}

export const POINTS: readonly Point[] = [
  { name: 'account: transaction begun', statement: '^BEGIN', when: 'behind' },
  { name: 'account: lease taken', statement: '^INSERT INTO meta VALUES', when: 'behind', opening: true },
  { name: 'account: run opened', statement: '^INSERT INTO run ', when: 'behind' },
  { name: 'account: batch noted', statement: '^INSERT INTO staged_batch', when: 'behind' },
  { name: 'account: record staged', statement: '^INSERT INTO staged(?:_pack)? ', when: 'behind' },
  { name: 'account: objects taken in', statement: '^INSERT INTO object ', when: 'behind' },
  { name: 'account: objects updated', statement: '^UPDATE object SET kind', when: 'behind' },
  { name: 'account: absent ones marked', statement: '^UPDATE object SET present = 0', when: 'behind' },
  { name: 'account: members taken in', statement: 'INSERT INTO object_member', when: 'behind' },
  { name: 'account: plan begun', statement: '^INSERT INTO plan_person', when: 'before' },
  { name: 'account: plan in the journal', statement: '^UPDATE run SET first_change', when: 'behind' },
  { name: 'account: leavers remembered', statement: '^INSERT INTO removed', when: 'behind' },
  { name: 'account: addresses released', statement: 'DELETE FROM address', when: 'behind' },
  { name: 'account: persons added', statement: '^INSERT INTO entry ', when: 'behind' },
  { name: 'account: persons updated', statement: '^UPDATE entry SET address', when: 'behind' },
  { name: 'account: addresses taken', statement: 'INSERT INTO address SELECT p.kind', when: 'behind' },
  { name: 'account: groups and members written', statement: 'INSERT INTO member SELECT', when: 'behind' },
  { name: 'account: marks written', statement: 'INSERT INTO leaving', when: 'behind' },
  { name: 'account: token written', statement: '^UPDATE source SET started_at', when: 'behind' },
  { name: 'account: report written', statement: '^UPDATE run SET report', when: 'behind' },
  { name: 'before a commit', statement: '^COMMIT', when: 'before' },
  { name: 'behind a commit', statement: '^COMMIT', when: 'behind' },
  { name: 'receiver: run opened', statement: '^INSERT INTO run \\(id, sender', when: 'behind', receiver: true },
  { name: 'receiver: nonce kept', statement: '^INSERT INTO nonce', when: 'behind', receiver: true },
  { name: 'receiver: batch in the spool', statement: '^INSERT INTO batch', when: 'behind', receiver: true },
  { name: 'receiver: sealed', statement: "SET state = 'sealed'", when: 'behind', receiver: true },
  { name: 'receiver: outcome, before', statement: 'SET state = \\?, outcome', when: 'before', receiver: true },
  { name: 'receiver: outcome, behind', statement: 'SET state = \\?, outcome', when: 'behind', receiver: true },
];

/** What the process is told: where to end (or stop) itself, at which time it comes there; or to do without transactions. */
export interface Armed {
  readonly signal?: 'SIGSTOP';
  readonly statement: string | null;
  readonly when: 'before' | 'behind';
  readonly nth: number;
  readonly transactions: boolean;
}
