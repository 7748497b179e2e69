//! The generated documents in the repository are those of this code. `UPDATE_EXPECT=1` rewrites them.

use std::path::Path;

fn compare(name: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "docs/{name} is not what the code says: run with UPDATE_EXPECT=1"
    );
}

#[test]
fn the_list_of_error_codes_is_up_to_date() {
    compare("error-codes.md", &gateway::error_codes_markdown());
}

#[test]
fn the_openapi_file_is_up_to_date() {
    compare("openapi.json", &gateway::openapi_json());
}

#[test]
fn every_operation_of_the_openapi_file_is_described() {
    let api: serde_json::Value = serde_json::from_str(&gateway::openapi_json()).unwrap();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{method} {path} {status}");
            }
        }
    }
}

#[test]
fn every_reference_of_the_openapi_file_leads_somewhere() {
    let api: serde_json::Value = serde_json::from_str(&gateway::openapi_json()).unwrap();
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let text = gateway::openapi_json();
    for part in text.split("\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
}
