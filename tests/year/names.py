"""Names of fictional people."""

GIVEN_NAMES = (
    "Ada Amir Anneke Basil Bela Bruno Camila Cem Clara Dag Daria Dmitri Edda Elif Emeka Esme "
    "Farid Fiona Flora Gil "
    "Greta Hana Hugo Ida Ines Ivo Jada Jonas Jun Kai Kemal Lena Lior Livia Luca Maeve Malik Mara "
    "Milo Nadia Nils Noor "
    "Odin Olga Oskar Pavel Petra Quinn Rafael Rana Remi Rosa Samir Selma Soren Tala Theo Tuva Uma "
    "Viggo Wanda Xenia Yara Zane"
)
FAMILY_NAMES = (
    "Abara Adler Aiken Alder Amsel Barrow Beck Bergen Birch Bloom Brandt Cairn Calder Castell "
    "Cedar Cobb Corbin Dahl "
    "Darrow Delgado Dorsey Drake Ebert Ekman Elder Engel Fabri Falk Farrow Finch Flint Fosse "
    "Garza Glover Grove Haas Hale "
    "Harlow Heath Hedge Holm Ibarra Inge Iverson Jarvis Jensen Joyner Kane Keller Kerr Kestrel "
    "Kidd Lark Larsen Lindqvist "
    "Lowell Maddox Marsh Merle Moss Nadir Nilsen North Oakes Okoye Olsen Otter Palm Park Perch "
    "Pike Quill Rand Reed Reyes "
    "Ridge Rook Rowan Sandoval Sedge Shaw Sorrel Stone Swan Tamm Tarn Teal Thorne Tully Ulrich "
    "Umber Vale Vance Vega Voss "
    "Wade Walsh Ware Weir Wells Wick Wilde Wren Yarrow Yates Zeller Zimmer"
)
GIVEN, FAMILY = GIVEN_NAMES.split(" "), FAMILY_NAMES.split(" ")
