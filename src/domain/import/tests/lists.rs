//! Reading lists.

use super::*;

fn csv(text: &str) -> Records {
    read_csv(text.as_bytes(), &Mapping::default())
}

/// `serial field=value …` of each row.
fn rows(read: &Records) -> Vec<String> {
    let row = |record: &record::Record| {
        let values = record.values.iter().map(|(field, value)| format!(" {field}={}", value.text));
        format!("{}{}", record.serial.as_ref().unwrap(), values.collect::<String>())
    };
    read.records.iter().filter(|record| !record.is_bad).map(row).collect()
}

#[test]
fn whatever_program_wrote_it_the_same_devices_are_read() {
    let text = "Serial Number,User,Model,labels.site\nPF3XK9Q2,ana@example.com,ThinkPad é,Málaga\n0123AB,,,\n";
    let expected = [
        "PF3XK9Q2 userEmail=ana@example.com hardware.model=ThinkPad é labels.site=Málaga",
        "0123AB",
    ];
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    let windows: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    for bytes in [
        text.as_bytes().to_vec(),
        format!("\u{feff}{text}").into_bytes(),
        utf16(u16::to_le_bytes),
        utf16(u16::to_be_bytes),
        windows,
        text.replace('\n', "\r\n").into_bytes(),
        text.replace(',', ";").into_bytes(),
        text.replace(',', "\t").into_bytes(),
        format!("sep=;\r\n{}", text.replace(',', ";")).into_bytes(),
        text.replace("ThinkPad é", "\"ThinkPad é\"").into_bytes(),
        text.replace("0123AB", "=\"0123AB\"").into_bytes(),
        text.replace("Serial Number", " SERIAL_number ").into_bytes(),
        format!("{text}\n\n,,,\n").into_bytes(),
    ] {
        let read = read_csv(&bytes, &Mapping::default());
        assert_eq!(problems(&read.problems), [""; 0], "{bytes:?}");
        assert_eq!(rows(&read), expected, "{bytes:?}");
    }
    for bytes in [&b"PK\x03\x04\x14\0"[..], b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"] {
        let found = read_csv(bytes, &Mapping::default()).problems;
        assert!(found[0].what.contains("workbook") && found[0].help.contains("CSV UTF-8"));
    }
    // The euro sign is what tells Windows-1252 from Latin-1.
    let euro = b"serial,labels.price\nA1B2,5 \x80\n";
    assert_eq!(rows(&read_csv(euro, &Mapping::default())), ["A1B2 labels.price=5 €"]);
}

#[test]
fn all_that_is_wrong_comes_at_once_with_line_and_column() {
    let read = csv("serial;user;platform;osVersion;labels.x;IMEI\n\
        1.23457E+14;a@example.com;windows;10;;\n\
        3-Mar;a@example.com;windows;10;;\n\
        PF3XK9Q2;nobody;windows;10;;\n\
        PF3XK9Q3;;beos;ten;;\n\
        pf3xk9q4;;;;#REF!;\n\
        PF3XK9Q5\n\
        PF3XK9Q5;;;;;;;x\n\
        ;a@example.com;;;;\n\
        0;;;;;\n\
        PF\u{202e}3;;;;;\n\
        PF3XK9Q6;;;ten;;\n\
        pf3xk9q6;nobody;;;;\n\
        12. Mai;;;12.05.2024;;\n");
    assert_eq!(
        problems(&read.problems),
        [
            "line 2, column 1 (serial): `1.23457E+14` is a number that a spreadsheet shortened: \
             digits are lost",
            "line 3, column 1 (serial): `3-Mar` was turned into a date or time by a spreadsheet",
            "line 4, column 2 (user): `nobody` is not an e-mail address like ana.ruiz@example.com",
            "line 5, column 3 (platform): `beos` is not a platform",
            "line 5, column 4 (osVersion): `ten` is not a version of dotted numbers like 10.0.26100",
            "line 6, column 5 (labels.x): `#REF!` is an error value of a spreadsheet",
            "line 8: there are 8 columns, and 6 in the header",
            "line 9, column 1 (serial): there is no serial number",
            "line 10, column 1 (serial): `0` stands for a missing serial number; many machines have the same",
            "line 11, column 1 (serial): `PF\\u{202e}3` has the control or bidirectional character U+202E",
            "line 12, column 4 (osVersion): `ten` is not a version of dotted numbers like 10.0.26100",
            "line 13, column 2 (user): `nobody` is not an e-mail address like ana.ruiz@example.com",
            "line 14, column 1 (serial): `12. Mai` was turned into a date or time by a spreadsheet",
            "line 14, column 4 (osVersion): `12.05.2024` was turned into a date or time by a spreadsheet",
            "line 8, column 1 (serial): the serial number `PF3XK9Q5` is in line 7 already",
            "line 13, column 1 (serial): the serial number `pf3xk9q6` is in line 12 already",
        ]
    );
    assert_eq!(read.unused, ["IMEI"]);
    assert_eq!(rows(&read), ["PF3XK9Q5"]);
}

#[test]
fn columns_are_what_somebody_says_they_are() {
    let mapping = |pairs: &[(&str, Option<Field>)]| {
        Mapping(pairs.iter().map(|(name, field)| ((*name).to_owned(), field.clone())).collect())
    };
    let text = "Asset Tag;Who;serial;IMEI\nAT-1;ana@example.com;PF3XK9Q2;490154203237518\n;;PF3XK9Q3;49015420323751\n";
    let all = mapping(&[
        ("asset tag", Some(Field::SerialNumber)),
        ("Who", Some(Field::UserEmail)),
        ("serial", None),
        ("IMEI", Some(Field::Label("imei".into()))),
    ]);
    let read = read_csv(text.as_bytes(), &all);
    assert_eq!(rows(&read), ["AT-1 userEmail=ana@example.com labels.imei=490154203237518"]);
    let found = problems(&read.problems);
    assert!(
        found
            .iter()
            .any(|p| p.starts_with("line 3, column 4 (IMEI): `49015420323751` is not an IMEI")),
        "{found:?}"
    );
    for (pairs, problem) in [
        (mapping(&[("Nope", Some(Field::Model))]), "line 1: there is no column `Nope`"),
        (mapping(&[("serial", None)]), "line 1: no column is the serial number"),
        (
            mapping(&[("Who", Some(Field::Label("x".repeat(129))))]),
            "line 1, column 2 (Who): the name of the label is 129 bytes long; at most 128 are allowed",
        ),
        (
            mapping(&[("Who", Some(Field::SerialNumber))]),
            "line 1, column 3 (serial): column 2 (Who) is serialNumber already",
        ),
    ] {
        assert_eq!(problems(&read_csv(text.as_bytes(), &pairs).problems), [problem]);
    }
    for (text, field) in [
        ("labels.site", Some("labels.site")),
        ("SerialNumber", Some("serialNumber")),
        ("model", Some("hardware.model")),
        ("spec.hardware.model", Some("hardware.model")),
        ("labels.", None),
        ("status", None),
    ] {
        assert_eq!(text.parse::<Field>().ok().map(|field| field.to_string()).as_deref(), field);
    }
}

#[test]
fn hardware_hashes_are_read_however_their_vendor_spells_the_header() {
    let hash = "aGFyZHdhcmUgaGFzaA==";
    let profiles = ["Standard".parse().unwrap()];
    for (header, cells) in [
        (
            "Device Serial Number,Windows Product ID,Hardware Hash,Group Tag,Assigned User",
            "PF3XK9Q2,,HASH,Standard,ana@example.com",
        ),
        (
            "Device serial number,Hardware hash,Group tag,Assigned user",
            "PF3XK9Q2,HASH,Standard,ana@example.com",
        ),
        (
            "serialNumber;hardwareIdentifier;groupTag;userPrincipalName",
            "PF3XK9Q2;HASH;Standard;ana@example.com",
        ),
    ] {
        let text = format!("{header}\r\n{}\r\n", cells.replace("HASH", hash));
        let read = read_autopilot(text.as_bytes(), &Mapping::default(), &profiles);
        assert_eq!(problems(&read.problems), [""; 0]);
        let expected = format!(
            "PF3XK9Q2 userEmail=ana@example.com profile=Standard platform=windows hardware.autopilotHash={hash}"
        );
        assert_eq!(rows(&read), [expected], "{header}");
        assert_eq!(read.unused, [""; 0]);
    }
    let other =
        format!("Device Serial Number,Hardware Hash,Group Tag\nA1B2,{hash},Madrid\nA1B3,abc,\n");
    let read = read_autopilot(other.as_bytes(), &Mapping::default(), &profiles);
    assert_eq!(
        rows(&read),
        [format!("A1B2 platform=windows hardware.autopilotHash={hash} labels.groupTag=Madrid")]
    );
    assert_eq!(
        problems(&read.problems),
        ["line 3, column 2 (Hardware Hash): the hardware hash is not base64"]
    );
    let long = format!("Device Serial Number,Hardware Hash\nA1B2,{}\n", "aGFy".repeat(2049));
    let read = read_autopilot(long.as_bytes(), &Mapping::default(), &profiles);
    assert_eq!(
        problems(&read.problems),
        [
            "line 2, column 2 (Hardware Hash): the hardware hash is 8196 bytes long; at most 8192 are allowed"
        ]
    );
}

#[test]
fn corporate_identifiers_are_of_one_kind() {
    let read = read_corporate_ids(b"F9FXK0ABCDE1,Ana's phone\r\nR58M12X,\r\n");
    assert_eq!(rows(&read), ["F9FXK0ABCDE1 labels.details=Ana's phone", "R58M12X"]);
    let read = read_corporate_ids(b"Contoso,Book 5,0123456789\n");
    assert_eq!(
        problems(&read.problems),
        [
            "line 1, column 3 (serial number): `0123456789` stands for a missing serial number; many machines have the same"
        ]
    );
    // The example of Microsoft's documentation.
    let read =
        read_corporate_ids(b"Contoso,Book 5,01234567890123\nF9FXK0ABCDE1,x\n490154203237518,x\n");
    assert_eq!(
        rows(&read),
        ["01234567890123 platform=windows hardware.manufacturer=Contoso hardware.model=Book 5"]
    );
    assert_eq!(
        problems(&read.problems),
        [
            "line 2: there are 2 columns, and 3 in the first line",
            "line 3: there are 2 columns, and 3 in the first line"
        ]
    );
    let read = read_corporate_ids(b"490154203237518,phone\n");
    assert_eq!(
        problems(&read.problems),
        ["line 1, column 1 (identifier): this is an IMEI, not a serial number"]
    );
    let read = read_corporate_ids(b"35693803564380,lost digit\n22057522501234,scanner\n,x\n");
    assert_eq!(rows(&read), ["22057522501234 labels.details=scanner"]);
    assert_eq!(
        problems(&read.problems),
        [
            "line 1, column 1 (identifier): `35693803564380` seems to be an IMEI that lost or changed a digit, not a serial number",
            "line 3, column 1 (identifier): there is no serial number",
        ]
    );
}

#[test]
fn a_saved_answer_of_apple_is_read_page_by_page() {
    let device = |serial: &str, family: &str| {
        format!(
            r#"{{"type":"orgDevices","id":"x","attributes":{{"serialNumber":"{serial}","deviceModel":"MacBook Air 13\"","productFamily":"{family}","status":"ASSIGNED","imei":[]}}}}"#
        )
    };
    let page = |devices: &[String], next: &str| {
        format!("{{\"data\":[\n{}\n],\"links\":{{\"next\":{next}}}}}", devices.join(",\n"))
    };
    let (mac, phone) = (device("XABC123X0", "Mac"), device("F9FXK0ABC", "iPhone"));
    let expected = [
        "XABC123X0 platform=macos hardware.manufacturer=Apple hardware.model=MacBook Air 13\"",
        "F9FXK0ABC platform=ios hardware.manufacturer=Apple hardware.model=MacBook Air 13\"",
    ];
    let (one, other) = (
        page(std::slice::from_ref(&mac), "\"https://x\""),
        page(std::slice::from_ref(&phone), "null"),
    );
    for text in [
        page(&[mac.clone(), phone.clone()], "null"),
        format!("{one}\n{other}\n"),
        format!("[{one},{other}]"),
    ] {
        let read = read_apple(text.as_bytes());
        assert_eq!(problems(&read.problems), [""; 0], "{text}");
        assert_eq!(rows(&read), expected);
        assert_eq!(read.notes, [""; 0]);
    }
    assert_eq!(read_apple(one.as_bytes()).notes.len(), 1, "there are more pages");
    let wrong = page(&[device("1", "Watch"), "7".to_owned(), mac], "null");
    let read = read_apple(wrong.as_bytes());
    assert_eq!(
        problems(&read.problems),
        [
            "line 2, column 60 (serialNumber): `1` stands for a missing serial number; many machines have the same",
            "line 2, column 113 (productFamily): `Watch` is not a product family that can be managed",
            "line 3, column 1: this is not an entry of type orgDevices with attributes",
        ]
    );
    assert_eq!(rows(&read).len(), 1);
    assert_eq!(
        problems(&read_apple(b"{\"data\": [}").problems),
        ["line 1, column 11: the file is not valid JSON"]
    );
    assert_eq!(
        problems(&read_apple(b"\n {}").problems),
        ["line 2, column 2: this is not a page of devices: it has no list `data`"]
    );
}
