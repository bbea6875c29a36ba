// Command gosdk makes one call by the CloudStack SDK for Go and prints what the SDK made of it.
//
// Standard input has {"endpoint", "key", "secret", "command", "arguments"}, standard output
// {"result"} or {"error"}. Methods and setters are found by their names, so that each command
// goes through the SDK's own types.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

type question struct {
	Endpoint, Key, Secret, Command string
	Arguments                      map[string]any
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "version" {
		fmt.Println(version())
		return
	}
	said := map[string]any{}
	result, err := answer()
	if err != nil {
		said["error"] = err.Error()
	} else {
		said["result"] = result
	}
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// version is the version of the SDK that this program was built with.
func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if strings.HasPrefix(module.Path, "github.com/apache/cloudstack-go") {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "unknown"
}

func answer() (any, error) {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return nil, err
	}
	client := cloudstack.NewAsyncClient(asked.Endpoint, asked.Key, asked.Secret, true)
	if asked.Command == "zone id by name" {
		id, _, err := client.Zone.GetZoneID(asked.Arguments["name"].(string))
		return map[string]string{"id": id}, err
	}
	method := methodNamed(client, capital(asked.Command))
	if !method.IsValid() {
		return untyped(client, asked)
	}
	parameters := reflect.New(method.Type().In(0).Elem())
	for _, name := range namesOf(asked.Arguments) {
		if err := set(parameters, name, asked.Arguments[name]); err != nil {
			return nil, err
		}
	}
	out := method.Call([]reflect.Value{parameters})
	if err, failed := out[1].Interface().(error); failed {
		return nil, err
	}
	return out[0].Interface(), nil
}

// namesOf is in order, so that a run says the same as the one before.
func namesOf(arguments map[string]any) []string {
	names := make([]string, 0, len(arguments))
	for name := range arguments {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func capital(name string) string {
	return strings.ToUpper(name[:1]) + name[1:]
}

// methodNamed is the method of that name in whichever of the client's services has it.
func methodNamed(client *cloudstack.CloudStackClient, name string) reflect.Value {
	fields := reflect.ValueOf(client).Elem()
	for i := 0; i < fields.NumField(); i++ {
		if fields.Type().Field(i).IsExported() && fields.Field(i).Kind() == reflect.Interface {
			found := fields.Field(i).Elem().MethodByName(name)
			if found.IsValid() && found.Type().NumIn() == 1 && found.Type().NumOut() == 2 {
				return found
			}
		}
	}
	return reflect.Value{}
}

// set gives a value to the SDK's setter of a parameter, in the type that it takes.
func set(parameters reflect.Value, name string, value any) error {
	setter := parameters.MethodByName("Set" + capital(name))
	if !setter.IsValid() {
		return fmt.Errorf("no way: the SDK has no setter for %s", name)
	}
	taken := reflect.New(setter.Type().In(0)).Elem()
	switch given := value.(type) {
	case string:
		if err := parse(given, taken); err != nil {
			return err
		}
	case map[string]any:
		texts := map[string]string{}
		for key, item := range given {
			texts[key] = item.(string)
		}
		taken.Set(reflect.ValueOf(texts))
	}
	setter.Call([]reflect.Value{taken})
	return nil
}

// parse reads a text as a flag, a number, a list or itself.
func parse(text string, into reflect.Value) error {
	switch into.Kind() {
	case reflect.String:
		into.SetString(text)
	case reflect.Bool:
		into.SetBool(text == "true")
	case reflect.Int, reflect.Int64:
		number, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return err
		}
		into.SetInt(number)
	case reflect.Slice:
		into.Set(reflect.ValueOf(strings.Split(text, ",")))
	default:
		return fmt.Errorf("no way: a parameter of type %s", into.Type())
	}
	return nil
}

// untyped makes the call that the SDK offers for what it has no method for, a POST.
func untyped(client *cloudstack.CloudStackClient, asked question) (any, error) {
	service, known := client.Custom.(*cloudstack.CustomService)
	if !known {
		return nil, fmt.Errorf("no way: the SDK has no method for %s", asked.Command)
	}
	parameters := &cloudstack.CustomServiceParams{}
	for _, name := range namesOf(asked.Arguments) {
		parameters.SetParam(name, asked.Arguments[name])
	}
	var result map[string]any
	err := service.CustomRequest(asked.Command, parameters, &result)
	return result, err
}
