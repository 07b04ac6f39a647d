/** BER as a tree, to be changed and written again; lengths may be lied about. */

export interface BerNode {
  tag: number;
  /** Of a constructed element. */
  children: BerNode[] | null;
  /** Of a primitive one. */
  content: Buffer;
  /** Written in place of the length that would be right. */
  length: Buffer | null;
}

/** The elements in well-formed bytes. */
export function parseTree(bytes: Buffer): BerNode[] {
  const nodes: BerNode[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const start = at + 2 + octets;
    const end = start + (octets === 0 ? first : bytes.readUIntBE(at + 2, octets));
    const content = bytes.subarray(start, end);
    nodes.push({ tag, children: (tag & 0x20) === 0 ? null : parseTree(content), content, length: null });
    at = end;
  }
  return nodes;
}

export function writeTree(nodes: readonly BerNode[]): Buffer {
  return Buffer.concat(
    nodes.flatMap((node) => {
      const content = node.children === null ? node.content : writeTree(node.children);
      return [Buffer.from([node.tag]), node.length ?? lengthOf(content.length), content];
    }),
  );
}

/** Every element, with the list that it is in. */
export function* walk(nodes: BerNode[]): Generator<{ node: BerNode; siblings: BerNode[]; index: number }> {
  for (const [index, node] of nodes.entries()) {
    yield { node, siblings: nodes, index };
    if (node.children !== null) yield* walk(node.children);
  }
}

export function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.alloc(5);
  bytes[0] = 0x84;
  bytes.writeUInt32BE(length, 1);
  return bytes;
}
