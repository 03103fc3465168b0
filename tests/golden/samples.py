"""The samples whose behavior is recorded, and the changes to their drops on the third night."""

from __future__ import annotations

from dataclasses import replace

from tests.golden.british import british
from tests.golden.edits import change, copy, remove
from tests.golden.sample import Sample

# A new name, a new title, a new person, one who left, a kindergarten that closed, and a wrong row.
DISTRICT = (
    change("users.csv", "sourcedId", "lv-stu-0009", givenName="Juno", phone="+1 555 555 0190"),
    change("classes.csv", "sourcedId", "lv-cls-0011", title="Grade 5 Morning Circle"),
    change("demographics.csv", "sourcedId", "lv-stu-0010", cityOfBirth="Aspen Hollow"),
    copy("users.csv", "sourcedId", "lv-stu-0010", sourcedId="lv-stu-0101", username="ada.newcomb", givenName="Ada",
         familyName="Newcomb", identifier="004301", email="ada.newcomb@students.example.edu"),
    copy("enrollments.csv", "userSourcedId", "lv-stu-0010", sourcedId="lv-enr-1901", userSourcedId="lv-stu-0101"),
    copy("enrollments.csv", "userSourcedId", "lv-stu-0010", sourcedId="lv-enr-1902", userSourcedId="lv-stu-0777"),
    remove("users.csv", "sourcedId", "lv-stu-0011"),
    remove("demographics.csv", "sourcedId", "lv-stu-0011"),
    remove("enrollments.csv", "userSourcedId", "lv-stu-0011"),
    *(remove("classes.csv", "sourcedId", f"lv-cls-000{number}") for number in (1, 2, 3, 4)),
    *(remove("enrollments.csv", "classSourcedId", f"lv-cls-000{number}") for number in (1, 2, 3, 4)),
)  # fmt: skip
ROLES = (
    copy(
        "roles.csv",
        "userSourcedId",
        "lv-stu-0010",
        sourcedId="lv-rol-0901",
        userSourcedId="lv-stu-0101",
    ),
    remove("roles.csv", "userSourcedId", "lv-stu-0011"),
    # A damaged id is correct again. Until then the program cannot know which enrollment is missing.
    change("enrollments.csv", "sourcedId", "lv enr 0079", sourcedId="lv-enr-0079"),
)
ONEROSTER = Sample(
    "oneroster_1_2",
    "oneroster_1_2",
    (*DISTRICT, *ROLES),
    "lv-enr-0001",
    "lv-enr-1902",
    "lv-stu-0013",
)

# One student has become another person, one has left, a class has another name, a teacher is new.
SDS_V1 = Sample(
    "sds_v1",
    "sds_v1",
    (
        change(
            "Student.csv",
            "SIS ID",
            "5001",
            First__Name="Otto",
            Last__Name="Weiss",
            Birthdate="5/6/2016",
        ),
        change("Student.csv", "SIS ID", "5003", Status="Inactive"),
        change("Section.csv", "SIS ID", "G1", Section__Name="Numbers and shapes"),
        copy(
            "Teacher.csv",
            "SIS ID",
            "5103",
            SIS__ID="5104",
            First__Name="Ivy",
            Last__Name="Lund",
            Username="ilund",
        ),
        copy("TeacherRoster.csv", "SIS ID", "5103", SIS__ID="5104"),
        copy("TeacherRoster.csv", "SIS ID", "5103", SIS__ID="5199"),
    ),
    "5001",
    "5005",
    "5002",
    written=True,
)

SAMPLES = (
    ONEROSTER,
    replace(ONEROSTER, name="oneroster_1_2_feed", feed="district.toml"),
    replace(ONEROSTER, name="oneroster_1_1", folder="oneroster_1_1", edits=DISTRICT),
    Sample(
        "clever",
        "clever",
        (
            change("schools.csv", "School_id", "0110", School_name="Alder Elementary School"),
            change("students.csv", "Student_id", "004004", First_name="Ruthie"),
            copy("students.csv", "Student_id", "004005", Student_id="004010", Student_number="4010", State_id="S004010",
                 First_name="Nia", Last_name="Obi", DOB="5/9/13", Username="nobi",
                 Student_email="nia.obi@students.example.edu"),
            copy("enrollments.csv", "Student_id", "004004", Student_id="004010"),
            remove("students.csv", "Student_id", "004006"),
            remove("enrollments.csv", "Student_id", "004006"),
            remove("sections.csv", "Section_id", "S-02"),
        ),
        "S-02",
        "004002",
        "004001",
    ),
    SDS_V1,
    replace(SDS_V1, name="sds_v1_british", rewrite=british),
    Sample(
        "sds_v2",
        "sds_v2",
        (
            change("classes.csv", "sourcedId", "K1", title="Algebra and proof"),
            change("users.csv", "sourcedId", "6001", familyName="Tanaka-Roy"),
            change("users.csv", "sourcedId", "6003", role="Juggler"),
            change("users.csv", "sourcedId", "6004", orgSourcedIds="0398"),
            copy("enrollments.csv", "userSourcedId", "6003", userSourcedId="6006"),
        ),
        "6001",
        "6005",
        "6002",
        written=True,
    ),
    Sample(
        "sds_v2_1",
        "sds_v2_1",
        (
            change("users.csv", "sourcedId", "7001", phone="555-0409"),
            change("courses.csv", "sourcedId", "CO1", title="Physics and astronomy"),
            remove("enrollments.csv", "classSourcedId", "L3"),
            remove("classes.csv", "sourcedId", "L3"),
            copy("enrollments.csv", "classSourcedId", "L2", userSourcedId="7001", role="student"),
        ),
        "L3",
        "7002",
        "7001",
        written=True,
    ),
    Sample(
        "canvas",
        "canvas",
        (
            change("users.csv", "user_id", "0801", first_name="Adele"),
            change("users.csv", "user_id", "0806", status="deleted"),
            change("enrollments.csv", "user_id", "0806", status="deleted"),
            change("courses.csv", "course_id", "C1", long_name="Algebra one"),
            copy("users.csv", "user_id", "0801", user_id="0810", integration_id="I-10", login_id="rpine",
                 first_name="Rosa", last_name="Pine", email="rosa.pine@students.example.edu"),
            copy("enrollments.csv", "user_id", "0801", user_id="0810"),
        ),
        "0806",
        "enrollment/001/0802/mascot",
        "0801",
        written=True,
    ),
    Sample(
        "apple_school_manager",
        "apple_school_manager",
        (
            change("students.csv", "person_id", "9001", first_name="Ivor"),
            copy("students.csv", "person_id", "9001", person_id="9004", person_number="0904", first_name="Lou",
                 last_name="Quill", sis_username="lquill", email_address="lou.quill@students.example.edu"),
            copy("rosters.csv", "student_id", "9001", roster_id="R4", student_id="9004"),
            remove("rosters.csv", "class_id", "AK2"),
            remove("classes.csv", "class_id", "AK2"),
        ),
        "AK2",
        "9003",
        "9002",
        written=True,
    ),
    Sample(
        "own_layout",
        "own_layout",
        (
            change("Pupils.csv", "UPN", "H820200114001", Known__As="Millie"),
            change("Classes.csv", "Class", "7A Ma", Room="16"),
            copy("Pupils.csv", "UPN", "H820200114004", UPN="H820200114011", Forename="Kit", Surname="Kerr",
                 School__Email="k.kerr@hawthorn.example.edu"),
            copy("Timetable.csv", "Pupil UPN", "H820200114004", Pupil__UPN="H820200114011"),
            *(remove(file, "Class", name) for name in ("7A Sc", "8A Sc") for file in ("Timetable.csv", "Classes.csv")),
        ),
        "class/8A@20Sc",
        "H820200114005",
        "H820200114002",
        feed="own_layout/hawthorn.toml",
        files="own_layout/drop",
    ),
    Sample(
        "learning",
        "learning",
        (
            change("courseComponents.csv", "sourcedId", "lv-app-u1-m2", title="Adding and taking away"),
            change("resources.csv", "sourcedId", "lv-app-res-quiz", **{"metadata.xp": "15"}),
            copy("courseComponents.csv", "sourcedId", "lv-app-u2-m1", sourcedId="lv-app-u2-m2", title="Hundredths", sortOrder="2"),
            copy("courseComponents.csv", "sourcedId", "lv-app-u2-m1", sourcedId="lv-app-u2-m2-l1", title="Cents",
                 parentSourcedId="lv-app-u2-m2"),
            copy("results.csv", "sourcedId", "lv-app-result-1", sourcedId="lv-app-result-9", studentSourcedId="lv-stu-0778"),
            change("results.csv", "sourcedId", "lv-app-result-2", score="7.5"),
            remove("courseComponents.csv", "sourcedId", "lv-app-u1-m1-l1-a1"),
            remove("courseComponents.csv", "sourcedId", "lv-app-u1-m1-l1-a2"),
            remove("courseComponents.csv", "sourcedId", "lv-app-u1-m1-l1"),
            remove("componentResources.csv", "sourcedId", "lv-app-link-1"),
            remove("componentResources.csv", "sourcedId", "lv-app-link-2"),
            remove("enrollments.csv", "sourcedId", "lv-app-enr-3"),
        ),
        "lv-app-result-2",
        "lv-app-result-9",
        "lv-stu-0012",
        feed="learning.toml",
        before="oneroster_1_2",
    ),
)  # fmt: skip
