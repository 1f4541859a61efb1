//! The story that the page about Intune tells, told by its own commands.

use crate::support::{needs, page, script, tell};

const STORY: &str = "## The whole story in five minutes";

#[test]
fn the_story_of_the_page_ends_with_a_wiped_device() {
    for tool in ["curl", "jq", "ssh-keygen"] {
        needs(tool);
    }
    let page = page("intune.md");
    let script = script(page.split(STORY).nth(1).expect("the story"));
    assert!(script.matches("\nff ").count() > 10, "{script}");
    let (_place, said) = tell(&script);
    for part in [
        "Pending -> Enrolled",
        "judged compliant by the MDM",
        "eve@contoso.com changed it in the MDM: ",
        "1 drifted profile corrected",
        "awaits approval: D001: Intune wants another administrator's approval first",
        "Enrolled -> Wiped",
        "Chain:     good",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}
