// go-ldap, page by page: what Grafana, Gitea and Dex read with. Debian's package golang-github-go-ldap-ldap-dev has it.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/go-ldap/ldap"
)

type job struct {
	Host       string   `json:"host"`
	Port       int      `json:"port"`
	User       string   `json:"user"`
	Password   string   `json:"password"`
	Base       string   `json:"base"`
	Filter     string   `json:"filter"`
	Attributes []string `json:"attributes"`
	PageSize   uint32   `json:"pageSize"`
}

func main() {
	var asked job
	must(json.Unmarshal([]byte(os.Getenv("READ_JOB")), &asked))
	connection, err := ldap.DialURL(fmt.Sprintf("ldap://%s:%d", asked.Host, asked.Port))
	must(err)
	defer connection.Close()
	must(connection.Bind(asked.User, asked.Password))
	paging := ldap.NewControlPaging(asked.PageSize)
	request := ldap.NewSearchRequest(asked.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		asked.Filter, asked.Attributes, []ldap.Control{paging})
	entries := 0
	for {
		page, err := connection.Search(request)
		must(err)
		entries += len(page.Entries)
		answer, ok := ldap.FindControl(page.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok {
			log.Fatal("no paging control")
		}
		if len(answer.Cookie) == 0 {
			break
		}
		paging.SetCookie(answer.Cookie)
	}
	fmt.Printf("{\"entries\":%d}\n", entries)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
