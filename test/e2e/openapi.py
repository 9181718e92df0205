"""docs/openapi.yaml against the daemon: every example is answered as the file says, and every route is in the file.

Examples belong together by their names: one of a request's body or of a parameter, and one of a response, which must be
what comes back. Of an object, the members that the example names must be there as they are; of its schema, those that
are required.
"""
import json
import re
import urllib.parse

import yaml
from support import trackd

FILE = trackd.ROOT / "docs" / "openapi.yaml"
METHODS = ("get", "post", "put", "delete", "options", "head", "patch")


class OpenApi(trackd.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = yaml.safe_load(FILE.read_text())
        cls.daemon = trackd.Daemon({"log.level": "debug"})
        cls.addClassCleanup(cls.daemon.kill)

    def test_every_example_is_answered_as_the_file_says(self):
        played = 0
        for path, item in self.file["paths"].items():
            for method in filter(item.__contains__, METHODS):
                operation = item[method]
                parameters = self.parameters(item, operation)
                names = self.names_of_examples(operation, parameters)
                self.assertTrue(names, f"{method} {path} has no example")
                for name in names:
                    with self.subTest(method=method, path=path, example=name):
                        self.play(method, path, operation, parameters, name)
                        played += 1
        self.assertEqual(self.daemon.status()["http"]["handler_errors"], 0)
        print(f"{played} examples", flush=True)

    def test_every_route_is_in_the_file(self):
        known = {(method.upper(), re.sub(r"\{.*\}", "{}", path))
                 for path, item in self.file["paths"].items() for method in item if method in METHODS}
        routes = set()
        for entry in self.daemon.log.entries:
            if match := re.fullmatch(r"http: route (\w+) (\S+)", entry["message"]):
                allowed = self.daemon.request("OPTIONS", match[2].replace("{", "x").replace("}", "x")).header("allow") or ""
                if match[1] in allowed.split(", "):  # or it is one of the admin listener only
                    routes.add((match[1], re.sub(r"\{.*\}", "{}", match[2])))
        self.assertIn(("POST", "/events"), routes)
        self.assertEqual(routes, known)

    def resolve(self, node):
        while "$ref" in node:
            place = node["$ref"]
            self.assertTrue(place.startswith("#/"), place)
            node = self.file
            for part in place[2:].split("/"):
                node = node[part]
        return node

    def parameters(self, item, operation):
        """Those of the path, unless the operation says something else about them, and those of the operation."""
        all_of_them = [self.resolve(one) for one in item.get("parameters", []) + operation.get("parameters", [])]
        return list({(one["name"], one["in"]): one for one in all_of_them}.values())

    def names_of_examples(self, operation, parameters):
        """Those of the request; where it has none, there is nothing to choose, and those of the responses."""
        bodies = operation.get("requestBody", {}).get("content", {})
        names = [name for content in bodies.values() for name in content.get("examples", {})]
        if bodies:
            return names
        holders = parameters + [holder for _, response in self.responses(operation)
                                for holder in [*response.get("headers", {}).values(),
                                               *response.get("content", {}).values()]]
        return list(dict.fromkeys(name for holder in holders for name in holder.get("examples", {})))

    def responses(self, operation):
        return [(int(code), self.resolve(response)) for code, response in operation["responses"].items()]

    def play(self, method, path, operation, parameters, name):
        headers, query = {}, []
        for parameter in parameters:
            value = parameter.get("examples", {}).get(name, {}).get("value", parameter.get("example"))
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", value)
            elif value is not None and parameter["in"] == "query":
                query.append((parameter["name"], value))
            elif value is not None:
                headers[parameter["name"]] = str(value)
        body = b""
        for content_type, content in operation.get("requestBody", {}).get("content", {}).items():
            if name in content.get("examples", {}):
                value = content["examples"][name]["value"]
                body = value if isinstance(value, str) else json.dumps(value)
                headers["Content-Type"] = content_type
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        self.check(self.daemon.request(method.upper(), target, body, **headers), operation, name)

    def check(self, answer, operation, name):
        expected = []  # (status, media type, example, schema)
        for code, response in self.responses(operation):
            for header, described in response.get("headers", {}).items():
                if name in described.get("examples", {}):
                    self.assertEqual(answer.header(header), described["examples"][name]["value"], answer)
                    expected.append((code, None, None, {}))
            for media_type, content in response.get("content", {}).items():
                if name in content.get("examples", {}):
                    schema = self.resolve(content.get("schema", {}))
                    expected.append((code, media_type, content["examples"][name]["value"], schema))
        self.assertTrue(expected, "no response has an example of this name")
        for code, media_type, example, schema in expected:
            self.assertEqual(answer.status, code, answer)
            if media_type:
                self.assertEqual(answer.header("content-type").partition(";")[0], media_type, answer)
                self.check_body(answer, example, schema)

    def check_body(self, answer, example, schema):
        if isinstance(example, bytes):
            self.assertEqual(answer.body, example)
        elif isinstance(example, str):
            self.assertEqual(answer.body.decode(), example)
        else:
            found = answer.json()
            self.assertEqual({member: found.get(member) for member in example}, example, answer)
            self.assertLessEqual(set(schema.get("required", [])), set(found), answer)
            if "properties" in schema:
                self.assertLessEqual(set(found), set(schema["properties"]), answer)
