/**
 * Where a sender never connects to, whatever a URL or a name says: link-local addresses, among them those at which clouds
 * hand out the credentials of the machine.
 */
import { type LookupFunction, BlockList, isIP } from 'node:net';
import dns from 'node:dns';

/** The `code` of the error by which such an address is refused. */
export const ADDRESS_REFUSED = 'DIRSYNC_ADDRESS_REFUSED';

const refused = new BlockList();
refused.addSubnet('169.254.0.0', 16);
refused.addSubnet('fe80::', 10, 'ipv6');
// Metadata services outside the link-local range: Amazon's over IPv6, Alibaba's, Oracle's.
refused.addAddress('fd00:ec2::254', 'ipv6');
refused.addAddress('100.100.100.200');
refused.addAddress('192.0.0.192');
refused.addSubnet('0.0.0.0', 8);

/** May this be connected to? For addresses; a name is judged when it has been looked up. */
export function mayConnectTo(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '');
  const version = isIP(bare);
  return version === 0 || !refused.check(bare, version === 6 ? 'ipv6' : 'ipv4');
}

/** `dns.lookup`, which gives only addresses that may be connected to: judged after looking up, so that no name gets round it. */
export const lookup: LookupFunction = (host, options, callback) => {
  dns.lookup(host, { ...options, all: true }, (error, found) => {
    if (error) {
      callback(error, '', 0);
      return;
    }
    const allowed = found.filter(({ address }) => mayConnectTo(address));
    const [first] = allowed;
    if (!first) {
      const none = Object.assign(new Error('an address that is never connected to'), { code: ADDRESS_REFUSED });
      callback(none, '', 0);
    } else if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};
