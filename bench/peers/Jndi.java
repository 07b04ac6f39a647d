import java.util.Hashtable;
import javax.naming.Context;
import javax.naming.NamingEnumeration;
import javax.naming.directory.Attribute;
import javax.naming.directory.SearchControls;
import javax.naming.directory.SearchResult;
import javax.naming.ldap.Control;
import javax.naming.ldap.InitialLdapContext;
import javax.naming.ldap.PagedResultsControl;
import javax.naming.ldap.PagedResultsResponseControl;

/** Java's own LDAP client, page by page: what Keycloak reads with. */
public class Jndi {
    public static void main(String[] args) throws Exception {
        Hashtable<String, String> settings = new Hashtable<>();
        settings.put(Context.INITIAL_CONTEXT_FACTORY, "com.sun.jndi.ldap.LdapCtxFactory");
        settings.put(Context.PROVIDER_URL, "ldap://" + args[0] + ":" + args[1]);
        settings.put(Context.SECURITY_PRINCIPAL, args[2]);
        settings.put(Context.SECURITY_CREDENTIALS, args[3]);
        settings.put("java.naming.ldap.attributes.binary", "objectGUID");
        InitialLdapContext context = new InitialLdapContext(settings, null);
        SearchControls search = new SearchControls();
        search.setSearchScope(SearchControls.SUBTREE_SCOPE);
        search.setReturningAttributes(args[6].split(","));
        int size = Integer.parseInt(args[7]);
        int entries = 0;
        byte[] cookie = null;
        do {
            context.setRequestControls(new Control[] {new PagedResultsControl(size, cookie, Control.CRITICAL)});
            NamingEnumeration<SearchResult> page = context.search(args[4], args[5], search);
            while (page.hasMore()) {
                NamingEnumeration<? extends Attribute> attributes = page.next().getAttributes().getAll();
                while (attributes.hasMore()) attributes.next().size();
                entries++;
            }
            cookie = null;
            for (Control control : context.getResponseControls()) {
                if (control instanceof PagedResultsResponseControl) cookie = ((PagedResultsResponseControl) control).getCookie();
            }
        } while (cookie != null && cookie.length > 0);
        context.close();
        System.out.println("{\"entries\":" + entries + "}");
    }
}
